import type { TaskState } from './goal-record.ts';
import { faultsError } from './schemas/parse.ts';
import type { GoalRetry } from './schemas/plan-change.ts';
import type { TaskStatus } from './schemas/goal.ts';
import type { TaskOutline } from './plan-outline.ts';

/** What runs again when a goal is tried again, and what of it is used as it is: ids in the plan's order. */
export interface Rerun {
  readonly willRun: readonly string[];
  readonly reused: readonly string[];
}

/**
 * The chosen tasks run again, all that depends on them, and all that has not ended well. O(V + E).
 * @param statusOf undefined: no event has touched the task
 * @throws ASTRA_PLAN_INVALID for a chosen task that the plan does not have
 */
export function tasksToRerun(
  tasks: readonly TaskOutline[],
  statusOf: (taskId: string) => TaskStatus | undefined,
  chosen: GoalRetry['tasks'],
): Rerun {
  const known = new Set(tasks.map(({ id }) => id));
  const ids = chosen === 'failed' ? [] : chosen.map((path) => path.split('/', 1).join(''));
  const faults = ids.flatMap((id, at) =>
    known.has(id) ? [] : [{ pointer: `/tasks/${at}`, message: `the plan has no task "${id}"` }],
  );
  if (faults.length > 0) throw faultsError(faults, 'ASTRA_PLAN_INVALID', 'The choice does not fit the plan');

  const dependents = new Map<string, string[]>();
  for (const { id, after } of tasks) {
    for (const dependency of after) {
      const ids = dependents.get(dependency);
      if (ids) ids.push(id);
      else dependents.set(dependency, [id]);
    }
  }
  const again = new Set(ids);
  for (const { id } of tasks) {
    const status = statusOf(id);
    if (status !== 'completed' && status !== 'skipped') again.add(id);
  }
  // The loop also visits what is added while it runs.
  for (const id of again) for (const dependent of dependents.get(id) ?? []) again.add(dependent);
  const inOrder = tasks.map(({ id }) => id);
  return { willRun: inOrder.filter((id) => again.has(id)), reused: inOrder.filter((id) => !again.has(id)) };
}

/** How a task stands for a retry: what was taken back has not ended well. */
export const reusableStatus = (task: TaskState | undefined): TaskStatus | undefined =>
  task?.cancelReceipt === 'compensated' ? undefined : task?.status;

/** A task whose input is edited is chosen thereby. */
export function chosenTasks({ tasks, inputs = {} }: GoalRetry): GoalRetry['tasks'] {
  const edited = Object.keys(inputs);
  return edited.length === 0 ? tasks : [...(tasks === 'failed' ? [] : tasks), ...edited];
}

/** What of a sub-goal runs again with its task; null: all of it, as it is no sub-goal, chosen whole or given another input. */
export function innerChoice(
  { id, kind }: Pick<TaskOutline, 'id' | 'kind'>,
  { tasks, inputs = {} }: GoalRetry,
): GoalRetry['tasks'] | null {
  if (kind !== 'goal' || Object.hasOwn(inputs, id)) return null;
  if (tasks === 'failed') return 'failed';
  if (tasks.includes(id)) return null;
  const inside = tasks.flatMap((path) => (path.startsWith(`${id}/`) ? [path.slice(id.length + 1)] : []));
  return inside.length > 0 ? inside : 'failed';
}
