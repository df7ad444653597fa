import { once } from 'node:events';
import { CancelledFailure, Context } from '@temporalio/activity';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { CancelNotice } from '../../stores/cache/cancel-channel.ts';
import type { TaskOutcome, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { recordEnd } from './record-end.ts';
import { cancelNoticeOf } from './running-attempts.ts';

interface AbortedAttempt {
  readonly ref: TaskRef;
  readonly number: number;
  readonly startedAt: Date;
  readonly signal: AbortSignal;
}

/** Records what a cancel has ended, whichever lane it came by. @throws what has ended the attempt without ending the task */
export async function settleAborted(
  recorder: Recorder,
  { ref, number, startedAt, signal }: AbortedAttempt,
): Promise<TaskOutcome> {
  const reason: unknown = signal.reason;
  const notice = cancelNoticeOf(reason);
  // The worker shuts down, or the server has given the attempt up: the task itself goes on elsewhere.
  if (!notice && !isCancelRequest(reason)) throw reason;
  const about = { taskId: ref.taskId, attempt: number };
  const cancelled = draft('task.cancelled', { reason: null, startedAt: startedAt.toISOString() }, about);
  if (!notice) return recordEnd(recorder, ref, cancelled);
  // The cancel is durable, but its goal may not have said so yet: whoever is first says it.
  const outcome = await recordEnd(recorder, ref, cancelling(ref, notice), cancelled);
  await untilKnown(notice);
  return outcome;
}

/** What was asked is of the goal that was cancelled, not of those below it. */
function cancelling({ goal }: TaskRef, { goalId, reason, compensate }: CancelNotice): EventDraft {
  if (goal.goalId !== goalId) return draft('goal.cancelling', { reason: null });
  return draft('goal.cancelling', { reason, ...(compensate && { compensate }) });
}

/**
 * The workflow that was told of the cancel knows of it before it hears of this task. One below it does not, and would
 * take the task for one that somebody else has ended: it hears once Temporal's own cancel is here, too.
 */
async function untilKnown({ workflowId }: CancelNotice): Promise<void> {
  const { cancellationSignal, info } = Context.current();
  if (info.workflowExecution?.workflowId === workflowId || cancellationSignal.aborted) return;
  await once(cancellationSignal, 'abort');
}

/** Is it a cancel that has aborted the attempt, on either lane? */
export const isCancelled = ({ reason }: AbortSignal): boolean =>
  cancelNoticeOf(reason) !== null || isCancelRequest(reason);

const isCancelRequest = (reason: unknown): boolean =>
  reason instanceof CancelledFailure && reason.message === 'CANCELLED';
