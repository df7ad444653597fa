import type { GoalRef } from '../../domain/goal-ref.ts';
import type { CancelNotice } from '../../stores/cache/cancel-channel.ts';
import { goalKey } from '../../stores/goal-write.ts';

/** The attempts under way in this process, by goal, so that a cancel reaches them without waiting for a heartbeat. */
export interface RunningAttempts {
  /** @param work is given a signal that aborts with `stop`, and when the goal is cancelled */
  during<T>(goal: GoalRef, stop: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Aborts the attempts of the notice's goals. */
  cancel(notice: CancelNotice): void;
}

/** Why a signal of `during` has aborted, if the fast lane did it. */
export const cancelNoticeOf = (reason: unknown): CancelNotice | null =>
  reason instanceof CancelledEarly ? reason.notice : null;

// A class because it is recognised by what it is: a signal's reason may be anything.
class CancelledEarly extends Error {
  override readonly name = 'CancelledEarly';
  readonly notice: CancelNotice;

  constructor(notice: CancelNotice) {
    super('The goal is cancelled.');
    this.notice = notice;
  }
}

export function createRunningAttempts(): RunningAttempts {
  const running = new Map<string, Set<AbortController>>();
  return {
    async during(goal, stop, work) {
      const key = goalKey(goal);
      const attempt = new AbortController();
      const ofGoal = running.get(key) ?? new Set();
      running.set(key, ofGoal.add(attempt));
      try {
        return await work(AbortSignal.any([stop, attempt.signal]));
      } finally {
        ofGoal.delete(attempt);
        if (ofGoal.size === 0 && running.get(key) === ofGoal) running.delete(key);
      }
    },
    cancel(notice) {
      for (const goalId of notice.goalIds) {
        const attempts = running.get(goalKey({ tenant: notice.tenant, goalId })) ?? [];
        for (const attempt of attempts) attempt.abort(new CancelledEarly(notice));
      }
    },
  };
}
