import type { ExecutedTask, ExecuteTaskArgs } from '../activities/contract.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import { executeTool } from './activities.ts';
import { closeTask } from './close-task.ts';
import type { FlightPlace } from './flight.ts';
import type { GoalRun } from './goal-run.ts';

/**
 * Executes a tool call until it ends, and waits in between for as long as it is parked.
 * @param place tells meanwhile that the task can be given up and begun again later
 */
export async function runTool(
  run: Pick<GoalRun, 'outline' | 'repeated' | 'parking'>,
  task: TaskOutline,
  { ref, place }: { readonly ref: ExecuteTaskArgs; readonly place?: FlightPlace },
): Promise<ExecutedTask> {
  const { parking } = run;
  try {
    for (let times = 0; ; times += 1) {
      const since = parking.mark();
      const resumed = parking.resumed.get(ref.taskId);
      const result = await executeTool(run, task, resumed ? { ...ref, resumed } : ref);
      if (result.status !== 'parked') {
        parking.roomMade();
        return result;
      }
      if (place) place.waits = true;
      const ending = await parking.wait(ref.taskId, result, { since, times });
      if (place) place.waits = false;
      if (ending) return await closeTask(ref, ending);
    }
  } finally {
    parking.leave(ref.taskId);
  }
}
