import { startTimeOf } from './goal-beginning.ts';
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
}

/** What a goal shows of its submission. @param objective what a template makes of it, when the client gave none */
export function goalHeadOf(goal: AcceptedGoal, objective?: string): GoalHead {
  const { tenant, goalId, submission, submittedAt, parentGoalId, forkedFrom = null } = goal;
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
    forkedFrom,
    createdAt: submittedAt,
    ...rareParts(goal),
  };
}

/** When the goal begins, with which others it belongs, who is told of its end. Most submissions have none of it. */
function rareParts({ submission, submittedAt }: AcceptedGoal): Partial<GoalHead> {
  const { dependsOnGoalIds, cascadeId, callbackUrl, onTaskFailure, planner, maxReplans } = submission;
  const startAt = startTimeOf(submission, submittedAt);
  return {
    ...(startAt !== null && { startAt }),
    ...(dependsOnGoalIds && { dependsOnGoalIds }),
    ...(cascadeId !== undefined && { cascadeId }),
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(onTaskFailure !== undefined && { onTaskFailure }),
    ...(planner !== undefined && { planner }),
    ...(maxReplans !== undefined && { maxReplans }),
  };
}
