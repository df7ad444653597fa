import { describe, expect, test } from 'vitest';
import { bucketOf, parseLimitKey, type Limited } from './limit-key.ts';
import type { GoalId } from './schemas/common.ts';
import type { GoalHead } from './schemas/goal.ts';

const head: GoalHead = {
  id: 'gol_0000000000000001' as GoalId,
  tenant: 'acme',
  objective: 'Take the payment',
  agentId: null,
  priority: 2,
  labels: { customer: 'c-1' },
  input: { region: 'eu', size: 3, tags: ['a'] },
  template: 'nightly',
  parentGoalId: null,
  forkedFrom: null,
  createdAt: '2026-01-01T00:00:00.000Z',
};
const call = { tool: 'http.fetch', taskId: 'each.3' };
const bucket = (key: string, limited: Limited = { head }) =>
  bucketOf({ key, of: limited.call ? 'task' : 'goal' }, limited);

describe('the value of a key', () => {
  test.each([
    ["'all'", 'all'],
    ['tenant', 'acme'],
    ['goal.labels.customer', 'c-1'],
    ['goal.template', 'nightly'],
    ['goal.objective', 'Take the payment'],
    ['goal.priority', '2'],
    ['goal.input.size > 2', 'true'],
    ['goal.input.tags', '["a"]'],
    ["goal.input.region + '/' + string(goal.priority)", 'eu/2'],
  ])('%s names the bucket %s', (key, expected) => expect(bucket(key)).toBe(expected));

  test.each([
    'null',
    'goal.agentId',
    'goal.labels.team',
    "goal.input.region == 'us' ? 'us' : null",
    '1 / (goal.input.size - 3)',
  ])('%s means that the limit does not apply', (key) => expect(bucket(key)).toBeNull());

  test('of a call may name the tool and the task', () => {
    expect(bucket('tool', { head, call })).toBe('http.fetch');
    expect(bucket("tool == 'http.fetch' ? goal.labels.customer : null", { head, call })).toBe('c-1');
    expect(bucket('task.id', { head, call })).toBe('each.3');
  });
});

test.each([
  ['goal.lables.customer', '"goal" has no "lables": in scope are tenant, goal.objective'],
  ['goal', '"goal" has no value of its own'],
  ['tool', 'unknown name "tool"'],
  ['tasks.a.output', 'unknown name "tasks"'],
  ['params.x', 'unknown name "params"'],
  ['1 +', 'not valid'],
])('the key %s is refused before it is in force', (key, reason) => {
  expect(() => parseLimitKey({ key })).toThrow(reason);
});

test('a variable may be called as a name in scope is', () => {
  expect(bucket('[{"labels": 7}].map(goal, goal.labels)[0]')).toBe('7');
});
