import { CancellationScope, continueAsNew, workflowInfo } from '@temporalio/workflow';
import type { CompensationCall } from '../activities/contract.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import { compensateTool, kernel } from './activities.ts';
import { lostCompensation } from './close-task.ts';

export interface CompensationInput {
  readonly goal: GoalRef;
}

/**
 * Takes back what a goal and its sub-goals have done, the last first: some calls side by side, then what the record says is
 * left. It keeps nothing itself, so a new history begins where the old one ended. Nothing cancels it.
 * @returns what could not be taken back
 */
export function compensationWorkflow(input: CompensationInput): Promise<ErrorInfo | null> {
  return CancellationScope.nonCancellable(async () => {
    for (;;) {
      const { calls, error } = await kernel.planCompensation(input);
      if (calls.length === 0) return error;
      await Promise.all(calls.map(compensate));
      if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof compensationWorkflow>(input);
    }
  });
}

async function compensate(call: CompensationCall): Promise<void> {
  const { goal, taskId } = call;
  try {
    await compensateTool(call);
  } catch (error) {
    await kernel.failCompensation({ task: { goal, taskId }, error: lostCompensation(error) });
  }
}
