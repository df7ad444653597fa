import { CancellationScope, CancelledFailure, sleep } from '@temporalio/workflow';
import type { HeldAttempt, ParkedTask, RetryDue, TaskOutcome, Unapproved, Undone } from '../activities/contract.ts';
import { kernel, type ToolCallRef, type ToolRun } from './activities.ts';
import { closeTask } from './close-task.ts';
import type { Stage } from './flight.ts';
import { draft, recordEvents } from './goal-run.ts';
import type { Mark } from './parking.ts';

/** An attempt that is to be followed by another. */
export type Pending = Exclude<Undone, Unapproved>;

interface Due {
  /** The mark when the attempt began; null: it is not known. */
  readonly since: Mark | null;
  /** How often the call was parked, or tried again, before. */
  readonly times: number;
  readonly stage: Stage | undefined;
}

/**
 * Waits until another attempt is due: after its back-off, when a budget has room, when the goal is resumed.
 * @param answer null: the goal is paused, and nothing is known of an attempt
 * @returns how the call has ended instead
 */
export async function untilDue(
  run: ToolRun,
  { taskId }: ToolCallRef,
  answer: Pending | null,
  due: Due,
): Promise<TaskOutcome | null> {
  if (answer?.status === 'parked') return untilReleased(run, taskId, { ...due, parked: answer });
  if (answer) keepCourse(run, taskId, answer);
  if (answer?.status === 'retrying') {
    await sleep(answer.afterSeconds * 1_000);
    if (!run.pause.isPaused) return null;
  }
  return untilResumed(run, taskId, due.stage);
}

function keepCourse({ parking }: ToolRun, taskId: string, { status, attempted }: RetryDue | HeldAttempt): void {
  const { held: before = 0, forgiven } = parking.courses.get(taskId) ?? {};
  const held = before + (status === 'held' ? 1 : 0);
  parking.keep(taskId, { attempted, ...(held > 0 && { held }), ...(forgiven !== undefined && { forgiven }) });
}

async function untilReleased(
  run: ToolRun,
  taskId: string,
  { parked, since, times, stage }: Due & { readonly parked: ParkedTask },
): Promise<TaskOutcome | null> {
  run.policy?.onParked(parked);
  stage?.pause();
  const ending = await run.parking.wait(taskId, parked, { since, times });
  if (ending) return closeTask({ goal: run.goal, taskId }, ending);
  await stage?.resume();
  return null;
}

async function untilResumed(run: ToolRun, taskId: string, stage: Stage | undefined): Promise<TaskOutcome | null> {
  // The goal is being cancelled, which the caller records.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
  const { goal, pause, parking } = run;
  const course = parking.courses.get(taskId) ?? { attempted: 0 };
  const detail = pause.reason ?? 'the goal is paused';
  const { attempted } = course;
  const standing = await kernel.parkTask({ task: { goal, taskId }, reason: 'paused', detail, attempted });
  // It had ended before it could be parked.
  if (standing.status !== 'parked') return standing;
  parking.keep(taskId, { ...course, attempted: standing.attempted, unparked: 'paused' });
  stage?.pause();
  await pause.over();
  await recordEvents(run.goal, draft('task.unparked', { reason: 'paused' }, taskId));
  await stage?.resume();
  return null;
}
