import type { GoalRef } from '../../domain/goal-ref.ts';
import type { LiveLane } from '../../stores/cache/live-lane.ts';
import { watchGoal } from '../stream/watch-goal.ts';
import { readGoal, type ReadGoal, type ReadGoalDeps } from './read-goal.ts';

/**
 * The goal's view as soon as it is as wanted, or as it is when the time is up. Woken by the goal's commits: however
 * long it waits, it reads about once for each of them.
 */
export async function awaitGoal(
  deps: ReadGoalDeps & { readonly lane: Pick<LiveLane, 'watch' | 'connected'> },
  goal: GoalRef,
  options: { readonly until: (view: ReadGoal) => boolean; readonly waitMs: number; readonly signal: AbortSignal },
): Promise<ReadGoal> {
  const { until, waitMs, signal } = options;
  const first = await readGoal(deps, goal);
  if (until(first) || waitMs <= 0) return first;

  const endsAt = Date.now() + waitMs;
  const watch = watchGoal(deps.lane, goal, { signal });
  try {
    let view = first;
    for (let leftMs = waitMs; leftMs > 0 && !signal.aborted; leftMs = endsAt - Date.now()) {
      const wakes = await watch.next(leftMs);
      if (wakes.has('event') || wakes.has('lost')) view = await readGoal(deps, goal);
      if (until(view)) break;
    }
    return view;
  } finally {
    watch.close();
  }
}
