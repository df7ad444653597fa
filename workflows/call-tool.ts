import type { ExecutedTask, ExecuteTaskAnswer, ExecuteTaskArgs, Unapproved } from '../activities/contract.ts';
import { executeTool, type ToolCallRef, type ToolRun } from './activities.ts';
import { closeTask, parkLost } from './close-task.ts';
import type { Stage } from './flight.ts';

interface CallOptions extends Pick<ExecuteTaskArgs, 'last' | 'cleared'> {
  /** Told when the call waits, and can be given up and begun again later. */
  readonly stage?: Stage;
}

/** Makes a tool call until it ends, or policy stops it, and waits in between for as long as it is parked. */
export async function callTool(
  run: ToolRun,
  call: ToolCallRef,
  { stage, last, cleared }: CallOptions = {},
): Promise<ExecutedTask | Unapproved> {
  const { goal, parking } = run;
  const { taskId } = call;
  try {
    for (let times = 0; ; times += 1) {
      const since = parking.mark();
      // While it was parked tasks may have been added.
      const isLast = last && run.goal === goal;
      const answer =
        parking.held(taskId) ?? (await execute(run, call, { ...(isLast && { last }), ...(cleared && { cleared }) }));
      if (answer.status !== 'parked') {
        parking.roomMade();
        return answer;
      }
      stage?.pause();
      const ending = await parking.wait(taskId, answer, { since, times });
      if (ending) return await closeTask({ goal: run.goal, taskId }, ending);
      await stage?.resume();
    }
  } finally {
    parking.leave(taskId);
  }
}

/** From where it was parked, if it was. */
async function execute(
  run: ToolRun,
  call: ToolCallRef,
  options: Pick<ExecuteTaskArgs, 'last' | 'cleared'>,
): Promise<ExecuteTaskAnswer> {
  const { attempted, unparked, forgiven } = run.parking.courses.get(call.taskId) ?? {};
  const course = {
    ...(attempted !== undefined && { attempted }),
    ...(unparked && { unparked }),
    ...(forgiven !== undefined && { forgiven }),
  };
  try {
    return await executeTool(run, call, { ...options, ...course });
  } catch (error) {
    return await parkLost(run, call, error);
  }
}
