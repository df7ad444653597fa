import { isApproved } from '../../domain/approvals/approval-details.ts';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { approvalId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import { runOf } from '../../domain/plan-outline.ts';
import type { ApprovalView } from '../../domain/schemas/approval.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { prepareCall, type ToolCall } from './tool-call.ts';
import type { Values } from './values.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
}

/**
 * The call of a task that policy was asked about: with the input that was approved, whatever its expressions would give
 * now. The record says so, not the workflow. Where nobody had to be asked it is a call like any other.
 */
export async function clearedCall(deps: Deps, goal: GoalRef, planned: PlannedTask): Promise<ToolCall | null> {
  const { outline } = planned;
  const { tool } = outline;
  const approval = await deps.recorder.approval(goal, approvalId(goal.goalId, planned.id, runOf(outline)));
  if (!approval || tool === undefined) return prepareCall(deps.scopes, goal, planned);
  if (!isApproved(approval)) throw new AstraError('ASTRA_INTERNAL', `The approval ${approval.id} is not given.`);
  return { tool, input: await approvedInput(deps, goal, approval) };
}

async function approvedInput(
  { values }: Deps,
  { tenant }: GoalRef,
  { id, status, input, inputArtifact, editedInput, editedInputSha256 }: ApprovalView,
): Promise<JsonObject> {
  // Of one that expired too few have approved an edit: what comes of itself is what was asked about.
  const isEdited = status === 'approved' && editedInputSha256 !== null;
  if (!isEdited && inputArtifact) {
    // What was stored is a tool's input, and small enough to come back as its value.
    return (await values.toValue(tenant, { artifact: inputArtifact })) as JsonObject;
  }
  const approved = isEdited ? editedInput : input;
  if (approved === null) throw new AstraError('ASTRA_INTERNAL', `The input that ${id} approved is gone.`);
  return approved;
}
