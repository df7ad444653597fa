import { CancelledFailure } from '@temporalio/workflow';
import type { ExecutedTask, ExecuteTaskAnswer, Unapproved, Undone } from '../activities/contract.ts';
import { bindingOf } from '../domain/plan-outline.ts';
import { executeTool, type ToolCallRef, type ToolRun } from './activities.ts';
import { parkLost } from './close-task.ts';
import type { Stage } from './flight.ts';
import { untilDue, type Pending } from './until-due.ts';

interface CallOptions {
  readonly last?: boolean;
  readonly cleared?: boolean;
  /** What came of an attempt that was made already. */
  readonly made?: Undone | undefined;
  /** Told when the call waits, and can be given up and begun again later. */
  readonly stage?: Stage;
}

/** Is there more to do for the call? */
export const isUndone = (answer: ExecuteTaskAnswer): answer is Undone =>
  answer.status === 'unapproved' || isPending(answer);

const isPending = (answer: ExecuteTaskAnswer): answer is Pending =>
  answer.status === 'retrying' || answer.status === 'held' || answer.status === 'parked';

/**
 * Makes a tool call until it ends, or policy stops it. In between it waits for as long as it is parked: for a budget, or
 * while the goal is paused; and goes on with the same effect id.
 */
export async function callTool(
  run: ToolRun,
  call: ToolCallRef,
  { made, stage, ...options }: CallOptions = {},
): Promise<ExecutedTask | Unapproved> {
  const { goal, parking } = run;
  let before: ExecuteTaskAnswer | undefined = made;
  try {
    for (let times = 0; ; times += 1) {
      const since = before ? null : parking.mark();
      // While it was parked tasks may have been added.
      const last = run.goal === goal && options.last === true;
      const answer = before ?? parking.held(call.taskId) ?? (await attempt(run, call, { ...options, last }));
      before = undefined;
      if (answer && !isPending(answer)) {
        parking.roomMade();
        return answer;
      }
      const ended = await untilDue(run, call, answer, { since, times, stage });
      if (ended) return ended;
    }
  } finally {
    parking.leave(call.taskId);
  }
}

/** A tool that must not run twice is not stopped: nobody would know what it has done. */
const isStoppable = ({ outline }: ToolRun, { task }: ToolCallRef): boolean =>
  bindingOf(outline, task)?.effect !== 'once';

/** From where it was parked, if it was. */
async function execute(
  run: ToolRun,
  call: ToolCallRef,
  asked: Parameters<typeof executeTool>[2],
): Promise<ExecuteTaskAnswer> {
  const { word: _, ...course } = run.parking.courses.get(call.taskId) ?? {};
  try {
    return await executeTool(run, call, { ...asked, ...course });
  } catch (error) {
    return parkLost(run, call, error);
  }
}

/** @returns null: the goal is paused, and nothing is known of an attempt */
async function attempt(
  run: ToolRun,
  call: ToolCallRef,
  { cleared, last }: Pick<CallOptions, 'cleared' | 'last'>,
): Promise<ExecuteTaskAnswer | null> {
  const { pause, policy } = run;
  if (pause.isPaused) return null;
  const single = policy?.on.outage === true;
  const asked = { ...(last && { last }), ...(cleared && { cleared }), ...(single && { single }) };
  const work = () => execute(run, call, asked);
  const { value, isStopped } = isStoppable(run, call)
    ? await pause.reach.stoppable(work)
    : { value: await work(), isStopped: false };
  // Not by a pause: an operator has ended it.
  if (value?.status === 'held' && !isStopped) throw new CancelledFailure('cancelled');
  if (value) policy?.onAttempt(call.task, value);
  return value;
}
