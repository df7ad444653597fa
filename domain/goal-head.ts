import { startTimeOf } from './goal-beginning.ts';
import { budgetScopesOf } from './budget-scopes.ts';
import type { GoalId } from './schemas/common.ts';
import type { GoalHead, GoalSubmission } from './schemas/goal.ts';

export const defaultPriority = 3;

export interface AcceptedGoal {
  readonly tenant: string;
  readonly goalId: GoalId;
  readonly submission: GoalSubmission;
  readonly submittedAt: string;
  readonly parentGoalId: GoalId | null;
  readonly forkedFrom?: GoalHead['forkedFrom'];
  /** The budgets that the goals above it count in. */
  readonly budgetScopes?: readonly string[];
}

/** What a goal shows of its submission. @param objective what a template makes of it, when the client gave none */
export function goalHeadOf(goal: AcceptedGoal, objective?: string): GoalHead {
  const { tenant, goalId, submission, submittedAt, parentGoalId, forkedFrom = null } = goal;
  const { template, priority = defaultPriority, labels = {}, input = {}, agentId = null } = submission;
  return {
    id: goalId,
    tenant,
    objective: submission.objective ?? objective ?? template?.name ?? '',
    agentId,
    priority,
    labels,
    input,
    template: template?.name ?? null,
    parentGoalId,
    forkedFrom,
    createdAt: submittedAt,
    ...rareParts(goal),
  };
}

/** When the goal begins, with which others it belongs, who is told of its end. Most submissions have none of it. */
function rareParts(goal: AcceptedGoal): Partial<GoalHead> {
  const { submission, submittedAt } = goal;
  const { dependsOnGoalIds, cascadeId, callbackUrl, onTaskFailure, planner, maxReplans } = submission;
  const startAt = startTimeOf(submission, submittedAt);
  return {
    ...(startAt !== null && { startAt }),
    ...(dependsOnGoalIds && { dependsOnGoalIds }),
    ...(cascadeId !== undefined && { cascadeId }),
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...budgetsOf(goal),
    ...(onTaskFailure !== undefined && { onTaskFailure }),
    ...(planner !== undefined && { planner }),
    ...(maxReplans !== undefined && { maxReplans }),
  };
}

function budgetsOf({
  goalId,
  submission,
  budgetScopes: above,
}: AcceptedGoal): Pick<GoalHead, 'budget' | 'budgetScopes'> {
  const { budget } = submission;
  const scopes = budgetScopesOf(goalId, submission, { above });
  return { ...(budget && { budget }), ...(scopes.length > 0 && { budgetScopes: [...scopes] }) };
}
