import { CancellationScope, ChildWorkflowFailure, executeChild, ParentClosePolicy } from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { compensationWorkflow } from './compensation-workflow.ts';
import { goalWorkflowId, workflowTaskTimeout } from './contract.ts';

/**
 * Takes back what a cancelled goal and its sub-goals have done, in an execution of its own: it may be as long as the goal was,
 * and nothing stops it but an operator.
 * @returns what could not be taken back
 */
export async function compensateGoal(goal: GoalRef): Promise<ErrorInfo | null> {
  try {
    return await CancellationScope.nonCancellable(() =>
      executeChild<typeof compensationWorkflow>('compensationWorkflow', {
        workflowId: `${goalWorkflowId(goal.goalId)}/compensation`,
        workflowTaskTimeout,
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: 'compensation',
        args: [{ goal }],
      }),
    );
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure)) throw error;
    const message = 'The compensation did not come to its end; the tasks say how far it had come.';
    return { code: 'ASTRA_COMPENSATION_FAILED', message, retryable: false };
  }
}
