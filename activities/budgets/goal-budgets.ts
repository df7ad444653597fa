import { tenantScope, isGoalScope } from '../../domain/budget-scopes.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import type { BudgetedScopes } from '../../stores/budgeted-scopes.ts';
import type { Recorder } from '../projection/recorder.ts';

/** Which budgets count what a goal's calls cost. Answered from memory. */
export interface GoalBudgets {
  /** Null: none does. @throws ASTRA_UNAVAILABLE */
  scopesOf(goal: GoalRef): Promise<readonly string[] | null>;
  /** The same of a goal that may not be recorded yet. @throws ASTRA_UNAVAILABLE */
  scopesWith(head: Pick<GoalHead, 'tenant' | 'budgetScopes'>): readonly string[] | null;
}

export function createGoalBudgets(recorder: Pick<Recorder, 'head'>, budgeted: Pick<BudgetedScopes, 'of'>): GoalBudgets {
  const budgets: GoalBudgets = {
    scopesOf: async (goal) => budgets.scopesWith(await recorder.head(goal)),
    scopesWith({ tenant, budgetScopes = [] }) {
      const standing = budgeted.of(tenant);
      if (standing.size === 0 && budgetScopes.length === 0) return null;
      const scopes = [tenantScope, ...budgetScopes].filter((scope) => isGoalScope(scope) || standing.has(scope));
      return scopes.length > 0 ? scopes : null;
    },
  };
  return budgets;
}
