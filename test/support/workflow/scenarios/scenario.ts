import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { ExpectStatic } from 'vitest';
import { approvalId } from '../../../../domain/ids.ts';
import type { ErrorCode } from '../../../../domain/errors.ts';
import type { GoalId } from '../../../../domain/schemas/common.ts';
import { messages, type DecideApprovalArgs, type GoalWorkflowInput } from '../../../../workflows/contract.ts';
import { until } from '../../until.ts';
import type { Behaviour, FakeWorld } from '../fake-world.ts';

/** One way through the workflows. All of them together take every branch; their histories are kept and replayed. */
export interface Scenario {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly input?: Partial<GoalWorkflowInput>;
  /** What happens to the goal from outside while it runs. */
  readonly drive?: (handle: WorkflowHandle, world: FakeWorld) => Promise<unknown>;
  /** The goal's status, or the failure's name and message. */
  readonly ending: RegExp;
  readonly check: (world: FakeWorld, expect: ExpectStatic) => void;
}

export const fails = {
  status: 'failed',
  error: { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: false },
} as const;

export const calledOnce = (world: FakeWorld, call: string): Promise<void> =>
  until(() => world.calls.includes(call), `the workflow asks for ${call}`);

// Workflow ids are `goal/<goalId>`.
export const goalIdOf = (handle: WorkflowHandle): GoalId => handle.workflowId.slice('goal/'.length) as GoalId;

type Choice = Pick<DecideApprovalArgs, 'subject' | 'decision' | 'editedInputSha256'>;

/** Votes as soon as the task's approval is open. */
export const vote = (handle: WorkflowHandle, taskId: string | null, choice: Choice): Promise<void> =>
  voteOn(handle, approvalId(goalIdOf(handle), taskId), choice);

/** Votes as soon as the approval is open. */
export async function voteOn(handle: WorkflowHandle, id: string, choice: Choice): Promise<void> {
  const args: DecideApprovalArgs = { approvalId: id, at: new Date().toISOString(), ...choice };
  await until(async () => {
    try {
      await handle.executeUpdate(messages.decideApproval, { args: [args] });
      return true;
    } catch (error) {
      const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
      if (cause instanceof ApplicationFailure && cause.type === 'ASTRA_NOT_FOUND') return false;
      throw error;
    }
  }, `the approval ${id} is open`);
}

/** Answers an update that must be refused. @throws when it is not, or for another reason */
export async function refused(update: Promise<unknown>, type: ErrorCode): Promise<void> {
  const error = await update.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  if (!(cause instanceof ApplicationFailure) || cause.type !== type) {
    throw new Error(`The update was to be refused with ${type}.`, { cause: error });
  }
}

export const approve = (subject: string) => ({ subject, decision: { decision: 'approved' } }) as const;
export const reject = (subject: string) => ({ subject, decision: { decision: 'rejected' } }) as const;
