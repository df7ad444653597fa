import type { Client } from '@temporalio/client';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { goalWorkflowId, type GoalWorkflowInput } from '../../workflows/contract.ts';
import { callTemporal, isNotFound } from './temporal-call.ts';

/** The input of a goal's first run. */
export type NewGoal = GoalWorkflowInput & { readonly submission: GoalSubmission };

/** The first event of the goal's history says all of its beginning. Null when there is none, or another tenant's. */
export async function readWorkflowInput(client: Client, tenant: string, goalId: GoalId): Promise<NewGoal | null> {
  const current = await readBeginning(client, goalId);
  if (current?.input.tenant !== tenant) return null;
  // A continued run does not carry the submission; the first run of the chain has it.
  const { input } = current.input.submission
    ? current
    : ((await readBeginning(client, goalId, current.firstRunId)) ?? current);
  return input.submission && { ...input, submission: input.submission };
}

interface Beginning {
  readonly input: GoalWorkflowInput;
  readonly firstRunId: string | undefined;
}

async function readBeginning(client: Client, goalId: GoalId, runId?: string): Promise<Beginning | null> {
  const { payloadConverter } = client.options.loadedDataConverter;
  const started = await readStarted(client, goalId, runId);
  const payload = started?.input?.payloads?.[0];
  if (!payload) return null;
  const input = payloadConverter.fromPayload<GoalWorkflowInput>(payload);
  return { input, firstRunId: started.firstExecutionRunId ?? undefined };
}

async function readStarted(client: Client, goalId: GoalId, runId?: string) {
  const { namespace } = client.options;
  const execution = { workflowId: goalWorkflowId(goalId), runId: runId ?? null };
  const request = { namespace, execution, maximumPageSize: 1 };
  try {
    const { history } = await callTemporal(client, () => client.workflowService.getWorkflowExecutionHistory(request));
    return history?.events?.[0]?.workflowExecutionStartedEventAttributes;
  } catch (error) {
    if (isNotFound(error)) return null;
    throw error;
  }
}
