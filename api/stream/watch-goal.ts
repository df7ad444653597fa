import type { GoalRef } from '../../domain/goal-ref.ts';
import type { LiveLane, Wake } from '../../stores/cache/live-lane.ts';

/** Without a subscription somebody has to look; with one this only covers a wake-up lost on its way. */
const pollMs = { connected: 5_000, disconnected: 1_000 };

export interface GoalWatch {
  /**
   * What has come since the last call, at once when something has; `lost` when it is time to look anyway; nothing after
   * `maxWaitMs` or an abort.
   */
  next(maxWaitMs: number): Promise<ReadonlySet<Wake>>;
  close(): void;
}

/** News of one goal. Any number of wake-ups between two calls count as one: a slow reader holds no queue. */
export function watchGoal(
  lane: Pick<LiveLane, 'watch' | 'connected'>,
  goal: GoalRef,
  options: { readonly signal: AbortSignal },
): GoalWatch {
  const { signal } = options;
  let pending = new Set<Wake>();
  let notify = (): void => undefined;
  const unwatch = lane.watch(goal, (wake) => {
    pending.add(wake);
    notify();
  });

  function take(): ReadonlySet<Wake> {
    const taken = pending;
    pending = new Set();
    return taken;
  }

  return {
    async next(maxWaitMs) {
      if (pending.size > 0 || signal.aborted) return take();
      const interval = lane.connected() ? pollMs.connected : pollMs.disconnected;
      const woken = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => done(false), Math.min(maxWaitMs, interval));
        const onAbort = (): void => done(true);
        const done = (value: boolean): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', onAbort);
          resolve(value);
        };
        notify = () => done(true);
        signal.addEventListener('abort', onAbort);
      });
      notify = () => undefined;
      return woken || maxWaitMs <= interval ? take() : new Set<Wake>(['lost']);
    },
    close: unwatch,
  };
}
