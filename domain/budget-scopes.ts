import type { GoalId } from './schemas/common.ts';
import type { GoalSubmission } from './schemas/goal.ts';

/** Names of budgets: `tenant`, `agent:<id>`, `goal:<goal id>`. */
export const tenantScope = 'tenant';
const agentScope = (agentId: string): string => `agent:${agentId}`;
export const goalScope = (goalId: GoalId): string => `goal:${goalId}`;
export const isGoalScope = (scope: string): boolean => scope.startsWith('goal:');

/**
 * The budgets beside its tenant's that a goal counts in, the widest first. A sub-goal counts in those of the goals above
 * it, their agents' included.
 */
export function budgetScopesOf(
  goalId: GoalId,
  { agentId, budget }: Pick<GoalSubmission, 'agentId' | 'budget'>,
  { above = [] }: { readonly above?: readonly string[] | undefined },
): readonly string[] {
  const own = [...(agentId === undefined ? [] : [agentScope(agentId)]), ...(budget ? [goalScope(goalId)] : [])];
  return own.length === 0 ? above : [...new Set([...above, ...own])];
}
