import { CancellationScope, CancelledFailure } from '@temporalio/workflow';
import type { ExecuteTaskAnswer, RetryDue } from '../activities/contract.ts';
import { bindingOf, isGuarded, type PlanOutline, type TaskOutline } from '../domain/plan-outline.ts';
import { executeTools, type ToolCallRef, type ToolRun } from './activities.ts';
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
 * Runs quick calls in one activity.
 * @param onEnd told of each call's recorded outcome, also when it was cancelled or lost; and of one that is left undone, to
 *   be gone on with by itself: so what tasks share ends soon
 */
export async function runTogether(
  run: ToolRun,
  calls: readonly ToolCallRef[],
  onEnd: (call: ToolCallRef, answer: ExecuteTaskAnswer) => Promise<void>,
): Promise<void> {
  const made = await attemptTogether(run, calls);
  const landed = await Promise.allSettled(
    calls.map(async (call) => {
      const answer = made[call.taskId];
      if (answer) run.policy?.onAttempt(call.task, answer);
      return onEnd(call, answer ?? notMade);
    }),
  );
  for (const each of landed) if (each.status === 'rejected') throw each.reason;
}

const notMade: RetryDue = {
  status: 'retrying',
  error: { code: 'ASTRA_INTERNAL', message: 'Nothing was said of the attempt.', retryable: true },
  afterSeconds: 0,
  attempted: 0,
};

type Attempted = Readonly<Record<string, ExecuteTaskAnswer>>;

async function attemptTogether(run: ToolRun, calls: readonly ToolCallRef[]): Promise<Attempted> {
  try {
    const { value, isStopped } = await run.pause.reach.stoppable(() => executeTools(run, calls));
    // Not by a pause: an operator has ended it.
    if (!isStopped && Object.values(value ?? {}).some(({ status }) => status === 'held'))
      throw new CancelledFailure('cancelled');
    return value ?? {};
  } catch (error) {
    const close = async (call: ToolCallRef) => [call.taskId, await closeLost(run, call, error)] as const;
    return Object.fromEntries(await CancellationScope.nonCancellable(() => Promise.all(calls.map(close))));
  }
}

function closeLost(run: ToolRun, call: ToolCallRef, error: unknown): Promise<ExecuteTaskAnswer> {
  const { task, taskId } = call;
  return parkLost(run, call, error).catch((thrown: unknown) =>
    closeTask({ goal: run.goal, taskId }, endingOf(thrown, task, run.outline)),
  );
}
