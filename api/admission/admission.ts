import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Backlog } from './backlog.ts';

/** Decides whether one more goal may be started now. */
export interface Admission {
  /**
   * Starts the goal, unless too many wait already; `false` from `start` means that it was started before.
   * @throws ASTRA_OVERLOADED, with the time after which there should be room; what `start` throws
   */
  admit(goal: GoalRef, start: () => Promise<boolean>): Promise<boolean>;
}

export interface AdmissionOptions {
  readonly backlog: Backlog;
  /** How long a new goal may be expected to wait; 0: nothing is refused. */
  readonly maxQueueSeconds: number;
  /** Called for each refusal, for metrics. */
  readonly onRefused?: () => void;
}

/** Goals that may wait before it is known how fast they begin, which takes a second or two. */
const roomForBurst = 500;
/** Goals that may wait however slowly they begin. */
const roomAtLeast = 100;
/** Calls to Temporal under way. More of them only make each other late: they are given up after 3 s. */
const maxStarting = 200;
const retryAfterSeconds = { least: 1, most: 60 };

/**
 * Goals are accepted as long as those that wait are no more than begin in `maxQueueSeconds`, as measured. Each start
 * slows down what runs, so without a bound an overloaded server does little else than accept: 1–2 goals/s instead of
 * 50 at three times the rate it can sustain (2 shared cores, November 2026).
 *
 * A tenant is refused only when it has its equal share of the room itself: one that floods keeps nobody else out.
 */
export function createAdmission({ backlog, maxQueueSeconds, onRefused }: AdmissionOptions): Admission {
  let starting = 0;

  function hasRoom(tenant: string): boolean {
    if (maxQueueSeconds === 0) return true;
    if (starting >= maxStarting) return false;
    const { perSecond } = backlog;
    const room = perSecond === null ? roomForBurst : Math.max(roomAtLeast, maxQueueSeconds * perSecond);
    return backlog.size < room || backlog.sizeOf(tenant) < room / backlog.tenants;
  }

  return {
    async admit(goal, start) {
      if (!hasRoom(goal.tenant)) {
        onRefused?.();
        throw overloaded(backlog, maxQueueSeconds);
      }
      starting += 1;
      const added = backlog.add(goal);
      let started = false;
      try {
        started = await start();
        return started;
      } finally {
        starting -= 1;
        if (added && !started) backlog.remove(goal);
      }
    },
  };
}

function overloaded({ size, perSecond }: Backlog, maxQueueSeconds: number): AstraError {
  const { least, most } = retryAfterSeconds;
  const drainSeconds = perSecond === null ? maxQueueSeconds : size / perSecond;
  const seconds = Math.ceil(Math.min(Math.max(drainSeconds, least), most));
  return new AstraError(
    'ASTRA_OVERLOADED',
    `More goals are waiting than can begin soon. Try again in about ${seconds} s.`,
    { retryAfterSeconds: seconds },
  );
}
