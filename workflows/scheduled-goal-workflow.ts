import {
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { scheduledGoalId } from '../domain/ids.ts';
import {
  goalPriority,
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  workflowTaskTimeout,
  type GoalWorkflowResult,
  type ScheduledGoalInput,
} from './contract.ts';
import type { goalWorkflow } from './goal-workflow.ts';

/**
 * One run of a schedule: a goal like any other, whose id follows from the run's. It lasts as long as the goal, so that
 * Temporal's overlap policies are about goals, and when it is cancelled so is the goal.
 */
export async function scheduledGoalWorkflow({ tenant, definition }: ScheduledGoalInput): Promise<GoalWorkflowResult> {
  const { goal: submission, name } = definition;
  const goalId = scheduledGoalId(workflowInfo().firstExecutionRunId);
  try {
    return await executeChild<typeof goalWorkflow>(goalWorkflowType, {
      workflowId: goalWorkflowId(goalId),
      workflowTaskTimeout,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: name,
      typedSearchAttributes: goalSearchAttributes(tenant, submission),
      priority: goalPriority(tenant, submission),
      args: [
        {
          tenant,
          goalId,
          submission,
          submittedAt: new Date().toISOString(),
          bodyHash: null,
          parentGoalId: null,
          depth: 0,
        },
      ],
    });
  } catch (error) {
    // Why the goal failed is in its own record; the run has done what it is for.
    if (error instanceof ChildWorkflowFailure && !isCancellation(error)) return { status: 'failed' };
    throw error;
  }
}
