import type { Astra, GoalView } from '../../../sdk/index.ts';
import { until } from '../until.ts';
import { goalOf } from './tasks.ts';

const probe = goalOf([{ id: 'hook', kind: 'wait', event: 'never.comes' }], null, { labels: { probe: 'p' } });

/**
 * Waits until the worker knows the tenant's limits as they are now. A goal that is counted by a limit that was made after
 * them says so.
 */
export async function untilLimitsAreKnown(astra: Astra): Promise<void> {
  await astra.limits.put('probe', { key: 'goal.labels.probe', concurrency: 1_000, strategy: 'queue' });
  await until(async () => {
    const { id } = await astra.goals.submit(probe);
    await until(async () => (await astra.goals.get(id)).status === 'running', 'the probe runs');
    const { holding } = await astra.limits.get('probe');
    await astra.goals.cancel(id);
    return holding > 0;
  }, 'the limits are known');
  await astra.limits.delete('probe');
}

/** The goal as soon as it is as wanted. */
export async function awaitGoal(
  astra: Astra,
  goalId: string,
  wanted: GoalView['status'] | ((goal: GoalView) => boolean),
): Promise<GoalView> {
  const isWanted = typeof wanted === 'string' ? ({ status }: GoalView) => status === wanted : wanted;
  let goal: GoalView | undefined;
  await until(
    async () => {
      goal = await astra.goals.get(goalId);
      return isWanted(goal);
    },
    `the goal is ${String(wanted)}`,
  );
  return goal!;
}
