import { condition } from '@temporalio/workflow';
import type { OpenedApproval, TaskEnding } from '../activities/contract.ts';
import { isApproved } from '../domain/approvals/approval-details.ts';
import type { JsonObject } from '../domain/json.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { PendingApproval } from './ballots.ts';
import { inTime } from './deadline.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';

/** What people said, or, when they did not in time, what that counts as. */
export type Decided =
  | { readonly approved: true; readonly editedInput: JsonObject | null }
  | { readonly approved: false; readonly error: ErrorInfo };

/** Waits for people's votes on a task. */
export async function runApproval(run: GoalRun, task: TaskOutline, opened: OpenedApproval): Promise<TaskEnding> {
  const decided = await awaitDecision(run, opened, { taskId: task.id, what: `"${task.title ?? task.id}"` });
  if (!decided.approved) return { kind: 'failed', error: decided.error };
  return { kind: 'approved', editedInput: decided.editedInput };
}

/**
 * Opens the approval for votes until it is decided or expires. Its request is recorded already.
 * @param about.what stands in the message of a refusal
 */
export async function awaitDecision(
  run: Pick<GoalRun, 'goal' | 'control' | 'pause'>,
  opened: OpenedApproval,
  about: { readonly taskId: string | null; readonly what: string },
): Promise<Decided> {
  const status = await awaitStatus(run, opened, about.taskId);
  if (isApproved({ ...opened, status })) {
    // Too few have approved an edit whose approval expires: what comes of itself is what was asked about.
    const edited = status === 'expired' ? null : run.control.approvals.get(opened.approvalId)?.editedInput;
    return { approved: true, editedInput: edited ?? null };
  }
  const error: ErrorInfo =
    status === 'expired'
      ? { code: 'ASTRA_APPROVAL_EXPIRED', message: `${about.what} was not decided in time.`, retryable: false }
      : { code: 'ASTRA_APPROVAL_REJECTED', message: `${about.what} was rejected.`, retryable: false };
  return { approved: false, error };
}

async function awaitStatus(
  run: Pick<GoalRun, 'goal' | 'control' | 'pause'>,
  opened: OpenedApproval,
  taskId: string | null,
): Promise<PendingApproval['status'] | 'expired'> {
  const { approvalId, required, expiresSeconds } = opened;
  if (opened.status === 'expired') return 'expired';
  // An earlier run may have heard the decision and not come to act on it.
  const status = opened.status === 'approved' || opened.status === 'rejected' ? opened.status : 'pending';
  const approval: PendingApproval = {
    approvalId,
    taskId,
    required,
    deciders: opened.deciders ?? null,
    delegations: [...(opened.delegations ?? [])],
    approvedBy: new Set(opened.approvedBy),
    closed: status !== 'pending',
    status,
    editedInput: run.control.edits[approvalId] ?? null,
    editedInputSha256: opened.editedInputSha256 ?? null,
  };
  run.control.approvals.set(approvalId, approval);
  try {
    return await untilDecided(run, approval, expiresSeconds);
  } catch (error) {
    // Given up; only a new run of the goal still takes votes.
    if (!run.control.continuing) approval.closed = true;
    throw error;
  }
}

async function untilDecided(
  { goal, pause }: Pick<GoalRun, 'goal' | 'pause'>,
  approval: PendingApproval,
  expiresSeconds: number | null,
): Promise<PendingApproval['status'] | 'expired'> {
  const { approvalId, taskId } = approval;
  const decided = (): boolean => approval.status !== 'pending';
  if (expiresSeconds === null) await condition(decided);
  else if (!(await inTime(pause, expiresSeconds, { isMet: decided })) && !approval.closed) {
    approval.closed = true;
    await recordEvents(goal, draft('approval.expired', { approvalId }, taskId));
    return 'expired';
  }
  // A vote may be on its way into the record just as the time runs out.
  await condition(decided);
  return approval.status;
}
