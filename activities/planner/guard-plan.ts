import { guardOutline } from '../../domain/approvals/policy.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import type { PolicyMemory } from '../../stores/policy-memory.ts';

/** Marks the tasks whose calls the tenant's policy, as it is now, does not simply allow. */
export async function guardPlan(
  policies: Pick<PolicyMemory, 'rulesOf'>,
  { tenant }: Pick<GoalRef, 'tenant'>,
  { outline, agentId }: { readonly outline: PlanOutline; readonly agentId: string | null | undefined },
): Promise<PlanOutline> {
  return guardOutline(outline, await policies.rulesOf(tenant), agentId ?? null);
}
