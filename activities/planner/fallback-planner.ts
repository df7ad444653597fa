import canonicalize from 'canonicalize';
import { fallbackPlanner as name } from '../../domain/replans.ts';
import type { Task } from '../../domain/schemas/plan.ts';
import { definePlanner, type PlannedTaskState, type ReplanContext } from './define-planner.ts';

/**
 * Puts the template's fallback plan in the place of all that has not finished. A task of it that is already there under its
 * id has to say the same, if that one has finished: else the change is refused. It falls back once: what fails in the
 * fallback plan itself fails the goal.
 */
export const fallbackPlanner = definePlanner({
  name,
  replan({ plan, fallbackPlan, tasks, failure }: ReplanContext) {
    if (!fallbackPlan) return null;
    const instead = new Map(fallbackPlan.tasks.map((task) => [task.id, task]));
    const failed = plan.tasks.find(({ id }) => id === failure.taskId);
    if (isSame(failed, instead.get(failure.taskId))) return null;
    const states = new Map(tasks.map((state) => [state.id, state]));
    const finished = plan.tasks.filter((task) => hasFinished(task, states.get(task.id)) && !instead.has(task.id));
    return {
      plan: { ...fallbackPlan, tasks: [...finished, ...fallbackPlan.tasks] },
      reason: `"${failure.taskId}" failed with ${failure.code}: the template's fallback plan takes over`,
    };
  },
});

/** One that may fail, and has, is finished too: others may depend on it. */
const hasFinished = (
  { onFailure }: Task,
  { status }: Pick<PlannedTaskState, 'status'> = { status: 'pending' },
): boolean => status === 'completed' || status === 'skipped' || (status === 'failed' && onFailure === 'continue');

const isSame = (one: Task | undefined, other: Task | undefined): boolean =>
  one !== undefined && canonicalize(one) === canonicalize(other);
