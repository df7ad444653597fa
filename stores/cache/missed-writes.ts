import type { GoalRef } from '../../domain/goal-ref.ts';
import { goalKey } from '../goal-write.ts';

/** A goal that Redis did not follow to this `seq`. */
export interface MissedWrite {
  readonly goal: GoalRef;
  readonly seq: number;
}

/** Goals remembered one by one; beyond that, all goals are to be dropped. */
const maxRemembered = 10_000;
const batchSize = 100;

/** The writes that an outage has kept from Redis, the latest of each goal. */
export function createMissedWrites() {
  const latest = new Map<string, MissedWrite>();
  let tooMany = false;

  return {
    get none() {
      return latest.size === 0 && !tooMany;
    },
    /** Some are not remembered. */
    get tooMany() {
      return tooMany;
    },
    forgetTooMany() {
      tooMany = false;
    },
    add(goal: GoalRef, seq: number): void {
      const key = goalKey(goal);
      if (latest.size < maxRemembered || latest.has(key)) latest.set(key, { goal, seq });
      else tooMany = true;
    },
    /** Until none is left, those included that are missed meanwhile. @throws what `repair` throws */
    async each(repair: (missed: MissedWrite) => Promise<unknown>): Promise<void> {
      while (latest.size > 0) {
        const batch = [...latest].slice(0, batchSize);
        await Promise.all(batch.map(([, missed]) => repair(missed)));
        for (const [key, missed] of batch) if (latest.get(key) === missed) latest.delete(key);
      }
    },
  };
}
