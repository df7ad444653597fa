import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { PolicyRule } from '../domain/schemas/approval-policy.ts';
import type { ApprovalPolicyStore } from './postgres/approval-policies.ts';
import { createPolicyMemory } from './policy-memory.ts';

type ListSince = ApprovalPolicyStore['listSince'];
const listSince = vi.fn<ListSince>();
const warn = vi.fn();
const deny: PolicyRule = { tool: '*', decision: 'deny' };
const policy = (tenant: string, second: number, ...rules: PolicyRule[]) => ({
  tenant,
  rules,
  updatedAt: new Date(second * 1_000),
});

beforeEach(() => {
  vi.useFakeTimers();
  listSince.mockReset().mockResolvedValue([]);
  warn.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

function start() {
  const memory = createPolicyMemory({ listSince }, { logger: { warn } });
  onTestFinished(() => memory.close());
  return memory;
}

test('what was set is known within a second, and only what is new is asked for', async () => {
  listSince.mockResolvedValueOnce([policy('a', 5, deny)]);
  const memory = start();
  expect(await memory.rulesOf('a')).toEqual([deny]);
  expect(await memory.rulesOf('b')).toEqual([]);
  listSince.mockResolvedValueOnce([policy('a', 9), policy('b', 7, deny)]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await memory.rulesOf('a')).toEqual([]);
  expect(await memory.rulesOf('b')).toEqual([deny]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(listSince.mock.calls.map(([since]) => since?.getTime() ?? null).slice(0, 3)).toEqual([null, 5_000, 9_000]);
});

test('while Postgres is away the last known rules stay in force, and that is said once', async () => {
  listSince.mockResolvedValueOnce([policy('a', 5, deny)]);
  const memory = start();
  await memory.rulesOf('a');
  listSince.mockRejectedValue(new Error('away'));
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await memory.rulesOf('a')).toEqual([deny]);
  expect(warn).toHaveBeenCalledTimes(1);
});

test('rules that were never read let nothing run', async () => {
  listSince.mockRejectedValue(new Error('away'));
  const memory = start();
  await expect(memory.rulesOf('a')).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
  listSince.mockResolvedValue([]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await memory.rulesOf('a')).toEqual([]);
});
