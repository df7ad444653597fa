import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow';
import type { ParkedTask, TaskEnding, TaskOutcome, TaskRef } from '../activities/contract.ts';
import { effectInDoubt } from '../domain/errors.ts';
import { bindingOf, type PlanOutline, type TaskOutline } from '../domain/plan-outline.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import { kernel, type ToolCallRef, type ToolRun } from './activities.ts';

/** The record decides: what an activity recorded before it was lost is the outcome, not what is said here. */
export function closeTask(task: TaskRef, ending: TaskEnding): Promise<TaskOutcome> {
  return CancellationScope.nonCancellable(() => kernel.closeTask({ task, ending }));
}

/** How a task ends that threw. @throws the error itself when it is no activity's: then this code is wrong */
export function endingOf(error: unknown, task: TaskOutline, outline: PlanOutline): TaskEnding {
  if (isCancellation(error)) return { kind: 'cancelled', reason: null };
  if (error instanceof ActivityFailure) return { kind: 'failed', error: lostTask(error, task, outline) };
  throw error;
}

/** A call of which every attempt was lost is parked like one that has failed, where its plan says so. @throws the error else */
export async function parkLost(
  { goal, outline, parking }: ToolRun,
  { task, taskId }: ToolCallRef,
  error: unknown,
): Promise<TaskOutcome | ParkedTask> {
  if (task.onFailure !== 'park') throw error;
  const ending = endingOf(error, task, outline);
  if (ending.kind !== 'failed') throw error;
  const { attempted = 0, unparked } = parking.courses.get(taskId) ?? {};
  const lost = { task: { goal, taskId }, error: ending.error, attempted, ...(unparked && { unparked }) };
  return CancellationScope.nonCancellable(() => kernel.parkLost(lost));
}

/** How a compensation ends of which every attempt was lost. @throws the error itself when it is no activity's */
export function lostCompensation(error: unknown): ErrorInfo {
  if (!(error instanceof ActivityFailure)) throw error;
  const message = `No attempt at taking it back ended in time: ${error.cause?.message ?? error.message}`;
  return { code: 'ASTRA_COMPENSATION_FAILED', message, retryable: false };
}

/** Activities record their own failures; one that the workflow sees was lost before it could. */
function lostTask(error: ActivityFailure, task: TaskOutline, outline: PlanOutline): ErrorInfo {
  const { cause } = error;
  const isOurs = cause instanceof ApplicationFailure && cause.type?.startsWith('ASTRA_') === true;
  // Also a worker that was stopped gives back what it could not end.
  if (!isOurs && bindingOf(outline, task)?.effect === 'once') {
    return effectInDoubt(task.tool ?? task.id);
  }
  if (cause instanceof TimeoutFailure) {
    const message = `No attempt at "${task.id}" ended in time (${cause.timeoutType}). Is a worker of its class running?`;
    return { code: 'ASTRA_TOOL_TIMEOUT', message, retryable: true };
  }
  const code = isOurs ? (cause.type ?? 'ASTRA_INTERNAL') : 'ASTRA_INTERNAL';
  return { code, message: cause?.message ?? error.message, retryable: false };
}
