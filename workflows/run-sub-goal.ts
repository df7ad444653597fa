import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  isCancellation,
  ParentClosePolicy,
  startChild,
} from '@temporalio/workflow';
import type { OpenedSubGoal, RetryRequest, TaskEnding } from '../activities/contract.ts';
import { runOf, type TaskOutline } from '../domain/plan-outline.ts';
import {
  goalPriority,
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  workflowTaskTimeout,
  type RetryGoalMessage,
} from './contract.ts';
import type { goalWorkflow } from './goal-workflow.ts';
import type { GoalRun } from './goal-run.ts';

/** Runs a sub-goal: a goal of its own, with its own page, that ends when its parent is cancelled. */
export async function runSubGoal(run: GoalRun, task: TaskOutline, child: OpenedSubGoal): Promise<TaskEnding> {
  const { tenant, goalId } = run.goal;
  try {
    if (run.pause.isPaused) await run.pause.over();
    const handle = await startChild<typeof goalWorkflow>(goalWorkflowType, {
      workflowId: goalWorkflowId(child.goalId),
      workflowTaskTimeout,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: task.title ?? task.id,
      typedSearchAttributes: goalSearchAttributes(tenant, child.submission),
      priority: goalPriority(tenant, child.submission),
      args: [
        {
          tenant,
          goalId: child.goalId,
          submission: child.submission,
          submittedAt: new Date().toISOString(),
          bodyHash: null,
          parentGoalId: goalId,
          depth: run.depth + 1,
          ...(child.budgetScopes && { budgetScopes: child.budgetScopes }),
          repeated: run.repeated,
          ...(child.fork && { fork: child.fork }),
          ...(child.retry && { retry: retryMessage(run, task, child.retry) }),
        },
      ],
    });
    await run.pause.reach.whileChild(handle, () => handle.result());
  } catch (error) {
    if (isCancellation(error) && CancellationScope.current().consideredCancelled) throw error;
    // Failed, or cancelled by somebody else: its own record says why, and closeTask takes the message from there.
    if (!(error instanceof ChildWorkflowFailure)) throw error;
  }
  return { kind: 'childGoal', goalId: child.goalId };
}

const retryMessage = ({ goal }: GoalRun, task: TaskOutline, request: RetryRequest): RetryGoalMessage => ({
  request,
  by: 'parent',
  changeId: `${goal.goalId}/${task.id}/${runOf(task)}`,
});
