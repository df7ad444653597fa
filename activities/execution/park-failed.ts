import { isDeadLetter } from '../../domain/goal-record.ts';
import type { TaskOutline } from '../../domain/plan-outline.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventData, EventDraft } from '../../domain/schemas/event.ts';
import type { ExecuteTaskArgs, ParkedTask, TaskOutcome, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { recordEnd } from './record-end.ts';

/** A call, at the end of an attempt. */
interface FailedCall {
  readonly ref: TaskRef;
  readonly outline: TaskOutline;
  readonly number: number;
  readonly unparked: ExecuteTaskArgs['unparked'];
}

/**
 * Records that a call has failed for good: its task has, or is parked where its plan says so.
 * @param settled what the attempt has cost
 */
export async function recordFailure(
  recorder: Recorder,
  { outline, ...call }: FailedCall,
  { failed, settled }: { readonly failed: EventData['task.failed']; readonly settled: readonly EventDraft[] },
): Promise<TaskOutcome | ParkedTask> {
  if (outline.onFailure === 'park') return parkFailed(recorder, call, { error: failed.error, settled });
  const { ref, number } = call;
  return recordEnd(recorder, ref, ...settled, draft('task.failed', failed, { taskId: ref.taskId, attempt: number }));
}

/** Answers with the task's end when one is recorded after all. */
export async function parkFailed(
  recorder: Recorder,
  { ref: { goal, taskId }, number, unparked }: Omit<FailedCall, 'outline'>,
  { error, settled }: { readonly error: ErrorInfo; readonly settled: readonly EventDraft[] },
): Promise<TaskOutcome | ParkedTask> {
  const about = { taskId, attempt: number };
  await recorder.record(goal, [
    // What fails before it is noted as begun is parked still.
    ...(unparked ? [draft('task.unparked', { reason: unparked }, about)] : []),
    ...settled,
    draft('task.parked', { reason: 'failed', detail: error.code, error }, about),
  ]);
  return (await recorder.outcome(goal, taskId, { firstAttempt: true })) ?? parkedAt(number);
}

/**
 * The task as it is parked for a failure since the attempts that its workflow knows of: whoever recorded that died before it
 * told.
 */
export async function parkedSince(
  recorder: Pick<Recorder, 'task'>,
  { goal, taskId }: TaskRef,
  attempted: number,
): Promise<ParkedTask | null> {
  const task = await recorder.task(goal, taskId);
  return task && isDeadLetter(task) && task.attempt > attempted ? parkedAt(task.attempt) : null;
}

const parkedAt = (attempted: number): ParkedTask => ({ status: 'parked', reason: 'failed', attempted, by: 'outside' });
