import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { limits } from '../domain/limits.ts';
import { validatePlan } from '../domain/plan-validation/validate-plan.ts';
import { templateSchema } from '../domain/schemas/template.ts';
import { buildTemplates } from './build-templates.ts';
import { tools } from './test-support/tools.ts';

const built = [...(await buildTemplates())];
const catalogue = new Map([...tools].map(([name, { manifest }]) => [name, manifest]));

/** Task → the tasks that it waits for, as the engine finds them in the plan. */
const dependenciesOf = (text: string): Record<string, readonly string[]> => {
  const { plan } = templateSchema.parse(JSON.parse(text));
  const { outline } = validatePlan(plan, catalogue, { source: 'template' });
  return Object.fromEntries(outline.tasks.map(({ id, after }) => [id, after.toSorted()]));
};
const textOf = (name: string): string => built.find(([file]) => file.includes(`/${name}/`))?.[1] ?? '';

describe('the example templates', () => {
  test.each(built)('%s is what its sources say (npm run build:templates rewrites it)', async (file, text) => {
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  test.each(built)('%s leaves room within the bounds of a plan', (_file, text) => {
    expect(text.length).toBeLessThan(limits.planBytes / 4);
  });

  test('have the dependencies that the guide draws', () => {
    expect(dependenciesOf(textOf('repo-report'))).toEqual({
      list: [],
      batches: ['list'],
      measure: ['batches'],
      check: [],
      totals: ['batches', 'check', 'measure'],
      notes: [],
      licences: [],
      churn: [],
      compose: ['churn', 'licences', 'notes', 'totals'],
      report: ['compose'],
      draw: ['totals'],
      chart: ['draw'],
    });
    expect(dependenciesOf(textOf('approved-greeting'))).toEqual({ ask: [], greet: ['ask'] });
  });
});
