import { touchedTask, untouchedTask, type Changes, type GoalRecord } from '../goal-record.ts';
import { putApproval, putTask, unlessStopped, update } from '../goal-writes.ts';
import type { Reducers } from '../goal-view.ts';
import type { Approval } from '../schemas/approval.ts';
import { isApproved, noDetails } from './approval-details.ts';

type ApprovalReducers = Pick<Reducers, Extract<keyof Reducers, `approval.${string}`>>;

interface Written {
  readonly changes: Changes;
  readonly seq: number;
}

/** What people are asked and what they answer, folded into the record. */
export const approvalReducers: ApprovalReducers = {
  'approval.requested'(record, { goalId, taskId, attempt, at, seq, data }, changes) {
    const { approvalId: id, ...asked } = data;
    const begun = { status: 'pending' as const, votes: [], requestedAt: at };
    putApproval(record, { ...noDetails, ...asked, ...begun, id, goalId, taskId }, changes);
    // The goal's other tasks go on.
    if (data.kind === 'budget') return;
    // The goal goes on by the plan that it has.
    if (data.change) return;
    if (taskId === null) {
      const startedAt = record.tasks.size === 0 ? null : record.state.startedAt;
      return update(record, { status: unlessStopped(record, 'awaiting_approval'), startedAt });
    }
    // An approval task begins with its question; a risky one begins when it is answered.
    const fresh = data.kind === 'risky_task' ? untouchedTask : { ...untouchedTask, attempt, startedAt: at };
    const waitingFor = { kind: 'approval', detail: id, until: data.expiresAt } as const;
    const task = { ...(touchedTask(record, taskId) ?? fresh), status: 'awaiting_approval', waitingFor } as const;
    putTask(record, taskId, task, { changes, seq });
  },
  'approval.decided'(record, { at, seq, data }, changes) {
    const { approvalId, subject, decision, comment, status, editedInputSha256 } = data;
    const approval = record.approvals.get(approvalId);
    if (!approval) return;
    const votes = [...approval.votes, { subject, decision, comment, at }];
    const edited = editedInputSha256 === undefined ? {} : { editedInputSha256 };
    const decided = { ...approval, ...edited, votes, status };
    putApproval(record, decided, changes);
    if (status !== 'pending') goOn(record, decided, { changes, seq });
  },
  'approval.delegated'(record, { at, data: { approvalId, subject: from, to, comment } }, changes) {
    const approval = record.approvals.get(approvalId);
    if (!approval) return;
    putApproval(record, { ...approval, delegations: [...approval.delegations, { from, to, comment, at }] }, changes);
  },
  'approval.expired'(record, { seq, data }, changes) {
    const approval = record.approvals.get(data.approvalId);
    if (!approval) return;
    const expired = { ...approval, status: 'expired' } as const;
    putApproval(record, expired, changes);
    if (isApproved(expired)) goOn(record, expired, { changes, seq });
  },
};

/** The task waits for nobody any more: one that asked is about to end, a risky one waits for a worker. */
function goOn(record: GoalRecord, approval: Approval, written: Written): void {
  const { taskId, kind } = approval;
  const task = taskId === null ? undefined : record.tasks.get(taskId);
  if (taskId === null || task?.status !== 'awaiting_approval') return;
  if (kind !== 'risky_task') {
    return putTask(record, taskId, { ...task, status: 'running', waitingFor: null }, written);
  }
  if (!isApproved(approval)) return;
  putTask(record, taskId, { ...task, status: 'queued', waitingFor: null }, written);
}
