import { CancellationScope, sleep } from '@temporalio/workflow';
import type { AttemptedCall, ParkedTask, RetryDue, TaskOutcome, Unapproved } from '../activities/contract.ts';
import { bindingOf, isGuarded, type PlanOutline, type TaskOutline } from '../domain/plan-outline.ts';
import { executeTool, executeTools, type ToolCallRef, type ToolRun } from './activities.ts';
import { closeTask, endingOf, parkLost } from './close-task.ts';

/** Calls that share an activity: with more the server has little less to do, and the worker's death repeats more. */
const mostTogether = 16;

export const isQuick = (outline: PlanOutline, task: TaskOutline): boolean =>
  (task.kind === 'tool' || task.kind === 'map') && bindingOf(outline, task)?.quick === true;

/** How many items of a map share an activity; at least two activities keep the window full. */
export const itemsTogether = (outline: PlanOutline, task: TaskOutline, window: number): number =>
  isQuick(outline, task) ? Math.max(1, Math.min(mostTogether, Math.floor(window / 2))) : 1;

/** The quick ones of the tasks in groups that share an activity, each other one, and each that policy guards or that was parked, alone; in order within both. */
export function groupTasks(
  { outline, parking }: Pick<ToolRun, 'outline' | 'parking'>,
  tasks: readonly TaskOutline[],
): readonly (readonly TaskOutline[])[] {
  const isAlone = (task: TaskOutline): boolean => isGuarded(task) || parking.courses.has(task.id);
  const quick = tasks.filter((task) => isQuick(outline, task) && task.kind === 'tool' && !isAlone(task));
  if (quick.length < 2) return tasks.map((task) => [task]);
  const together = new Set(quick);
  const alone = tasks.filter((task) => !together.has(task)).map((task) => [task]);
  return [...alone, ...chunk(quick, mostTogether)];
}

function chunk<T>(list: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

/**
 * Runs quick calls in one activity, and those that are to have another attempt in activities of their own.
 * @param onEnd told of each call's recorded outcome as soon as it is known, also when it was cancelled or lost; and of one
 *   that is left undone, to be gone on with by itself: so what tasks share ends soon
 */
export async function runTogether(
  run: ToolRun,
  calls: readonly ToolCallRef[],
  onEnd: (call: ToolCallRef, outcome: TaskOutcome | Undone) => Promise<void>,
): Promise<void> {
  const attempted = await attemptTogether(run, calls);
  const landed = await Promise.allSettled(
    calls.map(async (call) => onEnd(call, await lastOutcome(run, call, attempted[call.taskId]))),
  );
  for (const each of landed) if (each.status === 'rejected') throw each.reason;
}

/** Policy has come to ask about the call, or it is parked. */
type Undone = Unapproved | ParkedTask;
export const isUndone = (outcome: TaskOutcome | Undone): outcome is Undone =>
  outcome.status === 'unapproved' || outcome.status === 'parked';

type Attempted = Readonly<Record<string, AttemptedCall>>;

async function attemptTogether(run: ToolRun, calls: readonly ToolCallRef[]): Promise<Attempted> {
  try {
    return await executeTools(run, calls);
  } catch (error) {
    const close = async (call: ToolCallRef) => [call.taskId, await closeLost(run, call, error)] as const;
    return Object.fromEntries(await CancellationScope.nonCancellable(() => Promise.all(calls.map(close))));
  }
}

const notMade: Pick<RetryDue, 'status' | 'afterSeconds' | 'attempted'> = {
  status: 'retrying',
  afterSeconds: 0,
  attempted: 0,
};

async function lastOutcome(
  run: ToolRun,
  call: ToolCallRef,
  made: AttemptedCall | typeof notMade = notMade,
): Promise<TaskOutcome | Undone> {
  try {
    const outcome = made.status === 'retrying' ? await retry(run, call, made) : made;
    if (outcome.status === 'parked') run.parking.keep(call.taskId, outcome);
    return outcome;
  } catch (error) {
    const outcome = await closeLost(run, call, error);
    if (outcome.status === 'parked') run.parking.keep(call.taskId, outcome);
    return outcome;
  }
}

function closeLost(run: ToolRun, call: ToolCallRef, error: unknown): Promise<TaskOutcome | ParkedTask> {
  const { task, taskId } = call;
  return parkLost(run, call, error).catch((thrown: unknown) =>
    closeTask({ goal: run.goal, taskId }, endingOf(thrown, task, run.outline)),
  );
}

async function retry(
  run: ToolRun,
  call: ToolCallRef,
  { afterSeconds, attempted }: Pick<RetryDue, 'afterSeconds' | 'attempted'>,
): Promise<TaskOutcome | Undone> {
  await sleep(afterSeconds * 1_000);
  return executeTool(run, call, { attempted });
}
