import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { AstraError } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import {
  goalWorkflowId,
  messages,
  type DecideApprovalArgs,
  type DecideApprovalResult,
  type DelegateApprovalArgs,
  type DelegateApprovalResult,
} from '../../workflows/contract.ts';
import { callTemporal } from './temporal-call.ts';
import { toRefusal } from './update-refusal.ts';

/** Longer than other calls: a worker must take the vote and record it. */
const decisionTimeoutMs = 8_000;

/**
 * Gives a vote to the goal that asks for it. The vote is recorded when it resolves.
 * @throws ASTRA_APPROVAL_DECIDED, ASTRA_APPROVAL_EDITED, ASTRA_FORBIDDEN, ASTRA_NOT_FOUND, ASTRA_UNAVAILABLE
 */
export const decideApproval = (
  client: Client,
  goalId: GoalId,
  args: DecideApprovalArgs,
): Promise<DecideApprovalResult> => update(client, goalId, messages.decideApproval, args);

/**
 * Passes a vote on. That is recorded when it resolves; once more changes nothing.
 * @throws ASTRA_APPROVAL_DECIDED, ASTRA_DELEGATION_INVALID, ASTRA_FORBIDDEN, ASTRA_NOT_FOUND, ASTRA_UNAVAILABLE
 */
export const delegateApproval = (
  client: Client,
  goalId: GoalId,
  args: DelegateApprovalArgs,
): Promise<DelegateApprovalResult> => update(client, goalId, messages.delegateApproval, args);

// The two functions above pair messages with what they take and answer.
async function update<Result>(client: Client, goalId: GoalId, message: string, args: object): Promise<Result> {
  const handle = client.workflow.getHandle(goalWorkflowId(goalId));
  try {
    return await callTemporal(client, () => handle.executeUpdate<Result, [object]>(message, { args: [args] }), {
      timeoutMs: decisionTimeoutMs,
      unavailable:
        'No worker took the decision in time; it may still count. Read the approval before you decide again.',
    });
  } catch (error) {
    // Nothing waits for an answer in a goal that has ended.
    if (error instanceof WorkflowNotFoundError) {
      throw new AstraError('ASTRA_APPROVAL_DECIDED', 'The goal has ended, so its approvals are closed.', {
        cause: error,
      });
    }
    throw toRefusal(error) ?? error;
  }
}
