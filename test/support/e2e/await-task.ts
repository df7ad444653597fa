import { isAstraError, type Approval, type Astra, type GraphView, type TaskView } from '../../../sdk/index.ts';
import { until } from '../until.ts';

/** The goal's task as soon as it is as wanted. */
export async function awaitTask(
  astra: Astra,
  goalId: string,
  taskId: string,
  wanted: TaskView['status'] | ((task: TaskView) => boolean),
): Promise<TaskView> {
  const isWanted = typeof wanted === 'string' ? ({ status }: TaskView) => status === wanted : wanted;
  let task: TaskView | undefined;
  await until(
    async () => {
      task = (await graphOf(astra, goalId))?.tasks.find(({ id }) => id === taskId);
      return task !== undefined && isWanted(task);
    },
    `${taskId} is ${String(wanted)}`,
  );
  return task!;
}

/** Undefined while a sub-goal, whose id its parent has told, has not begun. */
async function graphOf(astra: Astra, goalId: string): Promise<GraphView | undefined> {
  try {
    return await astra.goals.graph(goalId);
  } catch (error) {
    if (isAstraError(error, 'ASTRA_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** The approval that the goal asks for, as soon as it does. */
export async function awaitApproval(astra: Astra, goalId: string): Promise<Approval> {
  let found: Approval | undefined;
  await until(async () => {
    [found] = (await astra.approvals.list({ goalId, status: 'pending' })).items;
    return found !== undefined;
  }, 'an approval is asked for');
  return found!;
}
