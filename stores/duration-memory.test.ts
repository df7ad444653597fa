import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createDurationMemory } from './duration-memory.ts';
import type { TaskDurationStore } from './postgres/task-durations.ts';

const ofTenant = vi.fn<TaskDurationStore['ofTenant']>();
const warn = vi.fn();
const seconds = (mean: number) => new Map([['x.y', mean]]);
const start = () => createDurationMemory({ ofTenant }, { logger: { warn } });

beforeEach(() => {
  vi.useFakeTimers();
  ofTenant.mockReset().mockResolvedValue(seconds(1));
  warn.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

test('a reader never waits: what is not known yet is known to the next one', async () => {
  const memory = start();
  expect(memory.recall('a')).toEqual({ known: new Map(), nowMs: Date.now() });
  await vi.advanceTimersByTimeAsync(0);
  expect(memory.recall('a').known).toEqual(seconds(1));
});

test('however many ask, the store is asked every ten seconds at most, for each tenant by itself', async () => {
  const memory = start();
  for (let n = 0; n < 50; n += 1) memory.recall('a');
  await vi.advanceTimersByTimeAsync(9_000);
  memory.recall('a');
  memory.recall('b');
  expect(ofTenant.mock.calls).toEqual([['a'], ['b']]);
  ofTenant.mockResolvedValue(seconds(2));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(memory.recall('a').known).toEqual(seconds(1));
  await vi.advanceTimersByTimeAsync(0);
  expect(memory.recall('a').known).toEqual(seconds(2));
});

test('who asks for an estimate waits for what is known, and for what was known while Postgres is away', async () => {
  const memory = start();
  expect(await memory.read('a')).toEqual(seconds(1));
  ofTenant.mockRejectedValue(new Error('away'));
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await memory.read('a')).toEqual(seconds(1));
  expect(await memory.read('new')).toEqual(new Map());
  expect(warn).toHaveBeenCalledTimes(2);
});
