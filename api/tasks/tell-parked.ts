import { limits } from '../../domain/limits.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { ParkedSelection, ToldTasks } from '../../domain/schemas/parked-task.ts';
import type { FailedTask } from '../../stores/postgres/parked-tasks.ts';
import type { UnparkTasksArgs } from '../../workflows/contract.ts';
import type { ApiDeps } from '../deps.ts';
import { mapInOrder } from '../map-in-order.ts';

/** Goals that are told at once. */
const parallel = 32;

interface Telling {
  readonly tenant: string;
  readonly selection: ParkedSelection;
  readonly discard: boolean;
  readonly dryRun: boolean;
  /** Takes no task that was parked later; RFC 3339. */
  readonly before?: string | undefined;
}

/**
 * Has tasks that are parked for a failure retried, or discarded: each goal is told, durably, of which attempt's failure that is
 * said. Said twice it is done once, so whoever dies in between, or hears no answer, says it again.
 * @throws ASTRA_UNAVAILABLE; some may have been told then
 */
export async function tellParked(
  { parkedTasks, engine }: Pick<ApiDeps, 'parkedTasks' | 'engine'>,
  { tenant, selection, discard, dryRun, before }: Telling,
): Promise<ToldTasks> {
  const found = await parkedTasks.failed(tenant, selection, { limit: limits.parkedTasks + 1, before });
  const taken = found.slice(0, limits.parkedTasks);
  const told: FailedTask[] = [];
  const tell = async ([goalId, tasks]: readonly [GoalId, readonly FailedTask[]]): Promise<readonly FailedTask[]> => {
    const attempts = Object.fromEntries(tasks.map(({ taskId, attempt }) => [taskId, attempt]));
    const args: UnparkTasksArgs = { reason: 'failed', attempts, ...(discard && { discard: true }) };
    // One that does not run any more has ended since, or was ended by an operator.
    return (await engine.unparkTasks(goalId, args)) ? tasks : [];
  };
  if (dryRun) told.push(...taken);
  else {
    const goals = Map.groupBy(taken, ({ goalId }) => goalId);
    for await (const tasks of mapInOrder(goals, parallel, tell)) told.push(...tasks);
    await parkedTasks.noteTold(tenant, told);
  }
  const tasks = told.map(({ goalId, taskId }) => ({ goalId, taskId }));
  return { matched: tasks.length, tasks, ...(found.length > taken.length && { more: true }) };
}
