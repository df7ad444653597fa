import { condition } from '@temporalio/workflow';
import type { OpenedApproval, TaskEnding } from '../activities/contract.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import type { PendingApproval } from './control.ts';
import { inTime } from './deadline.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';

/** Waits for people's votes on a task. */
export async function runApproval(run: GoalRun, task: TaskOutline, opened: OpenedApproval): Promise<TaskEnding> {
  const approval = await awaitDecision(run, opened, task.id);
  if (approval === 'expired') {
    const message = `Nobody decided "${task.title ?? task.id}" in time.`;
    return { kind: 'failed', error: { code: 'ASTRA_APPROVAL_EXPIRED', message, retryable: false } };
  }
  if (approval.status === 'approved') return { kind: 'approved', editedInput: approval.editedInput };
  const message = `"${task.title ?? task.id}" was rejected.`;
  return { kind: 'failed', error: { code: 'ASTRA_APPROVAL_REJECTED', message, retryable: false } };
}

/** Opens the approval for votes until it is decided or expires. Its request is recorded already. */
export async function awaitDecision(
  run: Pick<GoalRun, 'goal' | 'control' | 'pause'>,
  opened: OpenedApproval,
  taskId: string | null,
): Promise<PendingApproval | 'expired'> {
  const { approvalId, required, expiresSeconds } = opened;
  if (opened.status === 'expired') return 'expired';
  // An earlier run may have heard the decision and not come to act on it.
  const status = opened.status === 'approved' || opened.status === 'rejected' ? opened.status : 'pending';
  const approval: PendingApproval = {
    approvalId,
    taskId,
    required,
    approvedBy: new Set(opened.approvedBy),
    closed: status !== 'pending',
    status,
    editedInput: run.control.edits[approvalId] ?? null,
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
): Promise<PendingApproval | 'expired'> {
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
  return approval;
}
