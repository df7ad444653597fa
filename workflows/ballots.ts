import { ApplicationFailure } from '@temporalio/workflow';
import { delegationRefusal, voteRefusal, type Electorate } from '../domain/approvals/electorate.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Delegation } from '../domain/schemas/approval.ts';
import type { EventDraft } from '../domain/schemas/event.ts';
import type {
  DecideApprovalArgs,
  DecideApprovalResult,
  DelegateApprovalArgs,
  DelegateApprovalResult,
} from './contract.ts';

/** A question whose answer the workflow waits for. */
export interface PendingApproval extends Electorate {
  readonly approvalId: string;
  readonly taskId: string | null;
  readonly required: number;
  readonly approvedBy: Set<string>;
  readonly delegations: Pick<Delegation, 'from' | 'to'>[];
  /** No further vote is taken; true before `status` says so, which waits for the record. */
  closed: boolean;
  status: DecideApprovalResult['status'];
  editedInput: JsonObject | null;
  /** Of the input that was approved first, where it is another one than asked about. All who approve approve that. */
  editedInputSha256: string | null;
}

type Approvals = ReadonlyMap<string, PendingApproval>;
type RecordEvent = (draft: EventDraft) => Promise<void>;

const refused = (type: ErrorCode, message: string): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, type);

/** @throws ASTRA_NOT_FOUND, ASTRA_APPROVAL_DECIDED, ASTRA_FORBIDDEN */
function requireVoter(
  approvals: Approvals,
  { approvalId, subject, scopes = [] }: Pick<DecideApprovalArgs, 'approvalId' | 'subject' | 'scopes'>,
): PendingApproval {
  const approval = approvals.get(approvalId);
  if (!approval) throw refused('ASTRA_NOT_FOUND', 'The goal asks for no such approval now.');
  if (approval.closed || approval.approvedBy.has(subject)) {
    throw refused('ASTRA_APPROVAL_DECIDED', 'The approval is decided, or you have voted.');
  }
  const refusal = voteRefusal(approval, { subject, scopes });
  if (refusal !== null) throw refused('ASTRA_FORBIDDEN', refusal);
  return approval;
}

/** @throws ASTRA_APPROVAL_EDITED, and what `requireVoter` throws */
export function requireVote(approvals: Approvals, vote: DecideApprovalArgs): PendingApproval {
  const approval = requireVoter(approvals, vote);
  const { decision, editedInputSha256 = null } = vote;
  const agrees = approval.approvedBy.size === 0 || editedInputSha256 === approval.editedInputSha256;
  if (decision.decision === 'rejected' || agrees) return approval;
  const message = 'Others have approved another input. Read the approval again, and approve that one or reject it.';
  throw refused('ASTRA_APPROVAL_EDITED', message);
}

/** One rejection rejects; `required` approvals approve. The vote is durable before anybody is told of it. */
export async function castVote(
  approvals: Approvals,
  vote: DecideApprovalArgs,
  record: RecordEvent,
): Promise<DecideApprovalResult> {
  const { approvalId, subject, decision, editedInputSha256, at } = vote;
  const approval = requireVote(approvals, vote);
  const approves = decision.decision === 'approved';
  if (approves) approval.approvedBy.add(subject);
  if (approves) approval.editedInputSha256 = editedInputSha256 ?? null;
  if (decision.editedInput) approval.editedInput = decision.editedInput;
  const approved = approval.approvedBy.size >= approval.required;
  const status = !approves ? 'rejected' : approved ? 'approved' : 'pending';
  approval.closed = status !== 'pending';
  await record({
    type: 'approval.decided',
    taskId: approval.taskId,
    attempt: 1,
    at,
    data: {
      approvalId,
      subject,
      decision: decision.decision,
      comment: decision.comment ?? null,
      status,
      ...(approves && editedInputSha256 !== undefined && { editedInputSha256 }),
    },
  });
  approval.status = status;
  return { status };
}

/** @returns null: the vote is where it is to go already. @throws ASTRA_DELEGATION_INVALID, and what `requireVoter` throws */
export function requireDelegation(approvals: Approvals, args: DelegateApprovalArgs): PendingApproval | null {
  const { approvalId, subject, to } = args;
  const isDone = approvals.get(approvalId)?.delegations.some((each) => each.from === subject && each.to === to);
  if (isDone) return null;
  const approval = requireVoter(approvals, args);
  const refusal = delegationRefusal(approval, approval.approvedBy, { subject, to });
  if (refusal !== null) throw refused('ASTRA_DELEGATION_INVALID', refusal);
  return approval;
}

/** Passes a vote on. From here on it is the other's, and that is durable before anybody is told of it. */
export async function delegateVote(
  approvals: Approvals,
  args: DelegateApprovalArgs,
  record: RecordEvent,
): Promise<DelegateApprovalResult> {
  const { approvalId, subject, to, comment, at } = args;
  const approval = requireDelegation(approvals, args);
  if (!approval) return { to };
  approval.delegations.push({ from: subject, to });
  const { taskId } = approval;
  const data = { approvalId, subject, to, comment };
  await record({ type: 'approval.delegated', taskId, attempt: 1, at, data });
  return { to };
}
