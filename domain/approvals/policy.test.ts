import { describe, expect, test } from 'vitest';
import type { PlanOutline, TaskOutline } from '../plan-outline.ts';
import { policySchema, type PolicyRule } from '../schemas/approval-policy.ts';
import { tryParse } from '../schemas/parse.ts';
import { guardOutline, verdictOf } from './policy.ts';

const call = { tool: 'shell.run', agentId: null, risk: 'low' } as const;

describe('the verdict on a call', () => {
  test('without rules is by its risk', () => {
    expect(verdictOf([], call).decision).toBe('allow');
    expect(verdictOf([], { ...call, risk: 'high' }).decision).toBe('ask');
  });

  test('is that of the first rule that matches', () => {
    const rules: PolicyRule[] = [
      { tool: 'shell.*', agentId: 'cleaner', decision: 'allow' },
      { tool: 'shell.*', risk: 'high', decision: 'deny' },
      { tool: '*', decision: 'ask', required: 2 },
    ];
    expect(verdictOf(rules, { ...call, agentId: 'cleaner', risk: 'high' }).decision).toBe('allow');
    expect(verdictOf(rules, { ...call, agentId: 'another', risk: 'high' }).decision).toBe('deny');
    expect(verdictOf(rules, call)).toMatchObject({ decision: 'ask', required: 2 });
  });
});

describe('an outline', () => {
  const task = (id: string, rest: Partial<TaskOutline> = {}): TaskOutline => ({
    id,
    kind: 'tool',
    tool: 'text.render',
    after: [],
    ...rest,
  });
  const outline: PlanOutline = {
    revision: 1,
    source: 'explicit',
    tools: {},
    tasks: [
      task('text'),
      task('shell', { tool: 'shell.run' }),
      task('each', { kind: 'map', tool: 'shell.run', risk: 'high' }),
      { id: 'nap', kind: 'wait', after: [] },
    ],
  };
  const guarded = (rules: readonly PolicyRule[], agentId: string | null = null): string[] =>
    guardOutline(outline, rules, agentId).tasks.flatMap(({ id, guarded: is }) => (is ? [id] : []));

  test('is left as it is where there are no rules', () => {
    expect(guardOutline(outline, [], null)).toBe(outline);
  });

  test('has the tasks marked whose calls are not simply allowed', () => {
    expect(guarded([{ tool: 'shell.*', risk: 'low', decision: 'deny' }])).toEqual(['shell', 'each']);
    expect(guarded([{ tool: '*', decision: 'allow' }])).toEqual([]);
    expect(guarded([{ tool: 'text.*', agentId: 'bot', decision: 'ask' }])).toEqual(['each']);
    expect(guarded([{ tool: 'text.*', agentId: 'bot', decision: 'ask' }], 'bot')).toEqual(['text', 'each']);
  });
});

describe('a policy', () => {
  const faults = (...rules: readonly object[]): string[] =>
    tryParse(policySchema, { rules }).faults.map(({ pointer }) => pointer);

  test('says how to ask only where it asks', () => {
    expect(faults({ tool: '*', decision: 'ask', required: 2, expiresSeconds: 60, onExpiry: 'approve' })).toEqual([]);
    expect(faults({ tool: '*', decision: 'allow', required: 2 })).toEqual(['/rules/0/required']);
    expect(faults({ tool: '*', decision: 'ask', onExpiry: 'approve' })).toEqual(['/rules/0/onExpiry']);
    const two = { tool: '*', decision: 'ask', required: 3, deciders: { subjects: ['ann', 'bob', 'ann'] } };
    expect(faults(two)).toEqual(['/rules/0/required']);
    expect(faults({ tool: '*', decision: 'maybe' }, { tool: 'x', decision: 'deny', agent: 'y' })).toEqual([
      '/rules/0/decision',
      '/rules/1/agent',
    ]);
  });
});
