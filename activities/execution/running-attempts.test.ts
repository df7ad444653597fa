import { expect, test } from 'vitest';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { CancelNotice } from '../../stores/cache/cancel-channel.ts';
import { cancelNoticeOf, createRunningAttempts } from './running-attempts.ts';

const id = (number: number): GoalId => `gol_000000000000000${number}` as GoalId;
const noticeOf = (...goalIds: GoalId[]): CancelNotice => ({
  tenant: 'acme',
  goalId: id(1),
  goalIds,
  workflowId: `goal/${id(1)}`,
  reason: 'enough',
  compensate: false,
});
const never = new AbortController().signal;
const untilAborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason));
  });

test('a cancel aborts all attempts of its goals, and no other', async () => {
  const running = createRunningAttempts();
  const ofGoal = (tenant: string, goalId: GoalId, stop = never) =>
    running.during({ tenant, goalId }, stop, untilAborted);
  const cancelled = [ofGoal('acme', id(1)), ofGoal('acme', id(1)), ofGoal('acme', id(2))];
  const stop = new AbortController();
  const others = [ofGoal('acme', id(3), stop.signal), ofGoal('other', id(1), stop.signal)];
  const notice = noticeOf(id(1), id(2));
  running.cancel(notice);
  for (const reason of await Promise.all(cancelled)) expect(cancelNoticeOf(reason)).toBe(notice);
  stop.abort(new Error('the worker shuts down'));
  for (const reason of await Promise.all(others)) expect(cancelNoticeOf(reason)).toBeNull();
});

test('an attempt that has ended is not aborted any more', async () => {
  const running = createRunningAttempts();
  const signals: AbortSignal[] = [];
  await running.during({ tenant: 'acme', goalId: id(1) }, never, async (signal) => void signals.push(signal));
  await expect(
    running.during({ tenant: 'acme', goalId: id(1) }, never, (signal) => {
      signals.push(signal);
      return Promise.reject(new Error('it broke'));
    }),
  ).rejects.toThrow('it broke');
  running.cancel(noticeOf(id(1)));
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
});
