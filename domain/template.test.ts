import { expect, test } from 'vitest';
import { validateParams } from '../stores/template-params.ts';
import { AstraError } from './errors.ts';
import { applyTemplate } from './template.ts';
import type { Template } from './schemas/template.ts';

const template: Template = {
  name: 'report',
  description: '',
  params: {
    type: 'object',
    additionalProperties: false,
    required: ['directory'],
    properties: { directory: { type: 'string' }, depth: { type: 'integer', default: 3 } },
  },
  objective: 'Report on {{ params.directory }}, {{ params.depth }} deep',
  plan: { tasks: [{ id: 'a', kind: 'tool', tool: 'shell.run', input: { command: 'ls {{ params.directory }}' } }] },
};

test('a template gives its objective with the parameters in it, its plan as it is and the parameters with defaults', () => {
  expect(applyTemplate(template, { directory: '/repo' }, validateParams)).toEqual({
    objective: 'Report on /repo, 3 deep',
    plan: template.plan,
    params: { directory: '/repo', depth: 3 },
  });
});

test('a template refuses parameters that do not fit', () => {
  expect(() => applyTemplate(template, {}, validateParams)).toThrow(AstraError);
});

test('an objective that is one expression becomes text', () => {
  const { objective } = applyTemplate(
    { ...template, objective: '{{ params.depth }}' },
    { directory: 'x' },
    validateParams,
  );
  expect(objective).toBe('3');
});
