import { once } from 'node:events';
import { CancelledFailure, Context } from '@temporalio/activity';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { CancelNotice } from '../../stores/cache/cancel-channel.ts';
import type { HeldAttempt, TaskOutcome, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import type { Attempt } from './open-attempt.ts';
import { recordEnd } from './record-end.ts';
import { cancelNoticeOf } from './running-attempts.ts';

type AbortedAttempt = Pick<Attempt, 'ref' | 'number' | 'startedAt' | 'signal' | 'account' | 'meter'>;

/**
 * Records what a cancel has ended, whichever lane it came by; or answers that a pause has stopped it. @throws what has ended the attempt without
 * ending the task
 */
export async function settleAborted(
  recorder: Recorder,
  { ref, number, startedAt, signal, account, meter }: AbortedAttempt,
): Promise<TaskOutcome | HeldAttempt> {
  const reason: unknown = signal.reason;
  const notice = cancelNoticeOf(reason);
  // The worker shuts down, or the server has given the attempt up: the task itself goes on elsewhere.
  if (!notice && !isCancelRequest(reason)) throw reason;
  const about = { taskId: ref.taskId, attempt: number };
  const cancelled = draft('task.cancelled', { reason: null, startedAt: startedAt.toISOString() }, about);
  const settled = account.settle(meter.total, { again: false });
  if (!notice) {
    if (await isGoalCancelled(recorder, ref)) return recordEnd(recorder, ref, ...settled, cancelled);
    // A pause stops attempts by the same request: what is meant is the workflow's to say, unless it is recorded.
    const unused = account.settle(meter.total, { again: true });
    if (unused.length > 0) await recorder.record(ref.goal, unused);
    return { status: 'held', attempted: number };
  }
  // The cancel is durable, but its goal may not have said so yet: whoever is first says it.
  const outcome = await recordEnd(recorder, ref, cancelling(ref, notice), ...settled, cancelled);
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

async function isGoalCancelled(recorder: Recorder, { goal }: TaskRef): Promise<boolean> {
  const { status } = await recorder.state(goal);
  return status === 'cancelling' || isFinalGoal(status);
}

/** Is it a cancel that has aborted the attempt, on either lane? */
export const isCancelled = ({ reason }: AbortSignal): boolean =>
  cancelNoticeOf(reason) !== null || isCancelRequest(reason);

const isCancelRequest = (reason: unknown): boolean =>
  reason instanceof CancelledFailure && reason.message === 'CANCELLED';
