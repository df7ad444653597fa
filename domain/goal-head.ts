import type { GoalId } from './schemas/common.ts';
import type { GoalHead, GoalSubmission } from './schemas/goal.ts';

export const defaultPriority = 3;

export interface AcceptedGoal {
  readonly tenant: string;
  readonly goalId: GoalId;
  readonly submission: GoalSubmission;
  readonly submittedAt: string;
  readonly parentGoalId: GoalId | null;
}

/** What a goal shows of its submission. @param objective what a template makes of it, when the client gave none */
export function goalHeadOf(goal: AcceptedGoal, objective?: string): GoalHead {
  const { tenant, goalId, submission, submittedAt, parentGoalId } = goal;
  const { template, priority = defaultPriority, labels = {}, input = {} } = submission;
  return {
    id: goalId,
    tenant,
    objective: submission.objective ?? objective ?? template?.name ?? '',
    agentId: submission.agentId ?? null,
    priority,
    labels,
    input,
    template: template?.name ?? null,
    parentGoalId,
    createdAt: submittedAt,
  };
}
