import { expect, test } from 'vitest';
import { workflowBundle } from '../support/workflow/run-goal.ts';

const maxBytes = 2.4 * 1024 * 1024;

test('the workflows bundle without schemas, expressions or anything of Node', async () => {
  const { code } = await workflowBundle();
  expect(code.length).toBeLessThan(maxBytes);
  expect(code).toContain('goalWorkflow');
  for (const absent of [
    'node_modules/zod/',
    'cel-js',
    'domain/schemas/',
    'domain/expressions',
    'activities/execution',
  ]) {
    expect(code).not.toContain(absent);
  }
});
