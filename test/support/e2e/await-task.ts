import type { Approval, Astra, TaskView } from '../../../sdk/index.ts';
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
      task = (await astra.goals.graph(goalId)).tasks.find(({ id }) => id === taskId);
      return task !== undefined && isWanted(task);
    },
    `${taskId} is ${String(wanted)}`,
  );
  return task!;
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
