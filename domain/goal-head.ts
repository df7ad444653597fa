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
  /** The budgets that the goals above it count in. */
  readonly budgetScopes?: readonly string[];
}

/** What a goal shows of its submission. @param objective what a template makes of it, when the client gave none */
export function goalHeadOf(goal: AcceptedGoal, objective?: string): GoalHead {
  const { tenant, goalId, submission, submittedAt, parentGoalId } = goal;
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
    createdAt: submittedAt,
    ...budgetsOf(goal),
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
