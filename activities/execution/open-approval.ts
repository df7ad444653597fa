import type { GoalRef } from '../../domain/goal-ref.ts';
import { approvalId } from '../../domain/ids.ts';
import type { Approval, ApprovalTerms } from '../../domain/schemas/approval.ts';
import type { EventData } from '../../domain/schemas/event.ts';
import type { OpenedApproval, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';

/** What people are asked, and how. */
export interface Question extends Pick<
  EventData['approval.requested'],
  'kind' | 'prompt' | 'input' | 'inputArtifact' | 'tool' | 'map' | 'change'
> {
  readonly terms: ApprovalTerms;
}

/**
 * Asks people about a task, once: see `askOnce`.
 * @param options.run the task's: one that has begun anew is asked about again
 * @param options.ask null: there is nothing to ask
 */
export function openApproval<Q extends Question | null>(
  recorder: Recorder,
  { goal, taskId }: TaskRef,
  { run, ask }: { readonly run: number; readonly ask: () => Promise<Q> },
): Promise<OpenedApproval | Extract<Q, null>> {
  return askOnce(recorder, { goal, taskId, id: approvalId(goal.goalId, taskId, run) }, ask);
}

/** A question that is open already is answered with what is left of its time, and with its votes. */
export async function askOnce<Q extends Question | null>(
  recorder: Recorder,
  { goal, taskId, id }: { readonly goal: GoalRef; readonly taskId: string | null; readonly id: string },
  ask: () => Promise<Q>,
): Promise<OpenedApproval | Extract<Q, null>> {
  const known = await recorder.approval(goal, id);
  if (known) return openedOf(known);
  const question = await ask();
  // A question that is null is what Q says of it.
  if (question === null) return question as Extract<Q, null>;
  const { agentId } = await recorder.head(goal);
  const about = taskId === null ? {} : { taskId };
  const created = question.inputArtifact
    ? [draft('artifact.created', { artifact: question.inputArtifact }, about)]
    : [];
  const request = draft('approval.requested', requestOf(id, question, agentId), about);
  await recorder.record(goal, [...created, request]);
  const asked = await recorder.approval(goal, id);
  if (asked) return openedOf(asked);
  // Nothing is recorded any more of a goal that has ended: it is about to give the task up.
  return { approvalId: id, required: 1, status: 'pending', approvedBy: [], expiresSeconds: null };
}

function requestOf(
  approvalId: string,
  { terms, ...question }: Question,
  agentId: string | null,
): EventData['approval.requested'] {
  const { required = 1, deciders, expiresSeconds, onExpiry } = terms;
  return {
    approvalId,
    ...question,
    required,
    expiresAt: expiresSeconds === undefined ? null : new Date(Date.now() + expiresSeconds * 1_000).toISOString(),
    ...(deciders && { deciders }),
    ...(onExpiry === 'approve' && { onExpiry }),
    ...(agentId !== null && { agentId }),
  };
}

/** What is left of its time, and its votes. */
export function openedOf(approval: Approval): OpenedApproval {
  const { id, status, required, votes, expiresAt, deciders, delegations, onExpiry, editedInputSha256 } = approval;
  return {
    approvalId: id,
    required,
    status,
    approvedBy: votes.filter((vote) => vote.decision === 'approved').map((vote) => vote.subject),
    expiresSeconds: expiresAt === null ? null : Math.max(0, (Date.parse(expiresAt) - Date.now()) / 1_000),
    ...(deciders && { deciders }),
    ...(delegations.length > 0 && { delegations: delegations.map(({ from, to }) => ({ from, to })) }),
    ...(onExpiry === 'approve' && { onExpiry }),
    ...(editedInputSha256 !== null && { editedInputSha256 }),
  };
}
