import { CancellationScope, CancelledFailure, sleep } from '@temporalio/workflow';
import type { ExecutedTask, ExecuteTaskResult, HeldAttempt, ParkedTask, RetryDue } from '../activities/contract.ts';
import { bindingOf } from '../domain/plan-outline.ts';
import { executeTool, kernel, type ToolCallRef, type ToolRun } from './activities.ts';
import type { ParkedAttempts } from './contract.ts';
import type { FlightPlace } from './flight.ts';
import { draft, recordEvents } from './goal-run.ts';

interface Options {
  readonly last?: true;
  /** What came of an attempt that was made already; null: a pause has stopped it. */
  readonly made?: Pending;
  /** Told while the call is parked, when it can be given up and begun again later. */
  readonly place?: FlightPlace;
}

/**
 * Makes a tool call until it ends. What a pause has stopped, and what is due for another attempt while the goal is paused,
 * is parked until the resume and goes on with the same effect id.
 */
export async function callTool(run: ToolRun, call: ToolCallRef, options: Options = {}): Promise<ExecutedTask> {
  const { pause } = run;
  let course = pause.parked.get(call.taskId) ?? { attempted: 0, held: 0 };
  // By an earlier run of the goal.
  if (pause.parked.has(call.taskId)) await unpark(run, call);
  let { made } = options;
  for (;;) {
    const answer = made === undefined ? await attempt(run, call, { ...course, ...options }) : made;
    made = undefined;
    if (answer && isEnd(answer)) return answer;
    course = after(course, answer);
    const parked = await untilDue(run, call, answer, { ...options, course });
    if (parked && parked.status !== 'parked') return parked;
    if (parked) course = { ...course, attempted: parked.attempted };
  }
}

type Pending = RetryDue | HeldAttempt | null;

const isEnd = (answer: ExecuteTaskResult): answer is ExecutedTask =>
  answer.status !== 'retrying' && answer.status !== 'held';

const after = ({ attempted, held }: ParkedAttempts, answer: Pending): ParkedAttempts => ({
  attempted: answer?.attempted ?? attempted,
  held: held + (answer?.status === 'held' ? 1 : 0),
});

/**
 * A tool that must not run twice is not stopped: nobody would know what it has done.
 * @returns null: the goal is paused
 */
async function attempt(
  run: ToolRun,
  call: ToolCallRef,
  { attempted, held, last }: ParkedAttempts & Pick<Options, 'last'>,
): Promise<ExecuteTaskResult | null> {
  if (run.pause.isPaused) return null;
  const single = run.policy?.on.outage === true;
  const work = (): Promise<ExecuteTaskResult> =>
    executeTool(run, call, { attempted, held, ...(last && { last }), ...(single && { single }) });
  const mayStop = bindingOf(run.outline, call.task)?.effect !== 'once';
  const { value, isStopped } = mayStop
    ? await run.pause.reach.stoppable(work)
    : { value: await work(), isStopped: false };
  // Not by a pause: an operator has ended it.
  if (value?.status === 'held' && !isStopped) throw new CancelledFailure('cancelled');
  if (value) run.policy?.onAttempt(call.task, value);
  return value;
}

/** @returns how the call was parked; null: it was not, and another attempt is due */
async function untilDue(
  run: ToolRun,
  call: ToolCallRef,
  answer: Pending,
  options: Parking,
): Promise<ParkedTask | null> {
  if (answer?.status === 'retrying') await sleep(answer.afterSeconds * 1_000);
  return answer?.status === 'retrying' && !run.pause.isPaused ? null : parkUntilResume(run, call, options);
}

type Parking = Pick<Options, 'place'> & { readonly course: ParkedAttempts };

/** @returns an outcome: the task had ended before it could be parked */
async function parkUntilResume(run: ToolRun, call: ToolCallRef, { course, place }: Parking): Promise<ParkedTask> {
  // The goal is being cancelled, which the caller records.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
  const { goal, pause } = run;
  const { taskId } = call;
  const detail = pause.reason ?? 'the goal is paused';
  const { attempted } = course;
  const standing = await kernel.parkTask({ task: { goal, taskId }, reason: 'paused', detail, attempted });
  if (standing.status !== 'parked') return standing;
  pause.parked.set(taskId, { ...course, attempted: standing.attempted });
  if (place) place.waits = true;
  await pause.over();
  await unpark(run, call);
  if (place) place.waits = false;
  return standing;
}

async function unpark({ goal, pause }: ToolRun, { taskId }: ToolCallRef): Promise<void> {
  await recordEvents(goal, draft('task.unparked', { reason: 'paused' }, taskId));
  pause.parked.delete(taskId);
}
