import { guardOutline } from '../../domain/approvals/policy.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';
import type { PlanGoalArgs } from '../contract.ts';
import type { PlannedGoal } from './record-planning.ts';

/** Marks the tasks whose calls the tenant's policy, as it is now, does not simply allow. */
export async function guardPlan(
  policies: Pick<PolicyMemory, 'rulesOf'>,
  { goal, submission }: PlanGoalArgs,
  planned: PlannedGoal,
): Promise<PlannedGoal> {
  const rules = await policies.rulesOf(goal.tenant);
  return { ...planned, outline: guardOutline(planned.outline, rules, submission.agentId ?? null) };
}
