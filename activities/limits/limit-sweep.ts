import { setTimeout as sleep } from 'node:timers/promises';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Logger } from '../../platform/logger.ts';
import type { LimitWaiters } from '../../stores/postgres/limit-waiters.ts';
import type { GoalSignals } from './goal-signals.ts';
import type { GoalSlots } from './goal-slots.ts';

interface Deps {
  readonly waiters: Pick<LimitWaiters, 'takeToCheck' | 'among' | 'tidy'>;
  readonly slots: Pick<GoalSlots, 'giveBack'>;
  readonly signals: GoalSignals;
  readonly logger: Pick<Logger, 'warn'>;
}

const everyMs = 5_000;
/** How long a goal that nobody ended as it should keeps its slots, and a goal that nobody told goes on waiting. */
const checkedEverySeconds = 15;
const batch = 100;
const tidiedEveryRounds = 12;

/**
 * The sure lane of the slots of goals. An operator may terminate a goal's workflow, which then gives nothing back, and a
 * signal to the next may be lost with its sender. So each goal that holds or wants places is looked after, by one worker
 * at a time: what does not run any more gives back, and what could begin is told.
 */
export function startLimitSweep(deps: Deps): { readonly close: () => void } {
  const closing = new AbortController();
  let away = false;

  async function round(): Promise<void> {
    try {
      await sweep(deps);
      away = false;
    } catch (error) {
      if (!away) deps.logger.warn({ err: error }, 'the slots of goals cannot be looked after; trying again');
      away = true;
    }
  }
  async function run(): Promise<void> {
    for (let rounds = 1; !closing.signal.aborted; rounds += 1) {
      await sleep(everyMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await round();
      if (rounds % tidiedEveryRounds === 0) await deps.waiters.tidy().catch(() => undefined);
    }
  }
  void run();
  return { close: () => closing.abort() };
}

async function sweep({ waiters, slots, signals }: Deps): Promise<void> {
  const found = await waiters.takeToCheck({ count: batch, olderThanSeconds: checkedEverySeconds });
  const running: GoalRef[] = [];
  for (const { goal, checkedAt } of found) {
    if (await signals.isRunning(goal.goalId)) running.push(goal);
    else await slots.giveBack(goal, { checkedAt });
  }
  const free = await waiters.among(running);
  await signals.slotsFreed(free.map(({ goalId }) => goalId));
}
