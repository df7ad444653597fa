import type { Transport } from '../transport.ts';
import type { Budget, BudgetAmounts, CallOptions } from '../types.ts';

/** Whose budget: the tenant's, an agent's, or that of a goal that was submitted with one. */
export type BudgetScope = 'tenant' | `agent:${string}` | `goal:${string}`;

export interface Budgets {
  /** Its limits, what is reserved and what is spent. @throws ASTRA_NOT_FOUND for a goal without a budget of its own */
  get(scope: BudgetScope, options?: CallOptions): Promise<Budget>;
  /**
   * Sets the limits; a unit that is left out has none any more. Tasks that are parked for the budget are tried again.
   * Takes the scope `admin`. A goal's own budget is raised by approving its question.
   */
  set(scope: Exclude<BudgetScope, `goal:${string}`>, limit: BudgetAmounts, options?: CallOptions): Promise<Budget>;
}

const budgetPath = (scope: string) => `v1/budgets/${encodeURIComponent(scope)}`;

export function createBudgets(transport: Transport): Budgets {
  return {
    async get(scope, { signal } = {}) {
      return (await transport.json<Budget>(budgetPath(scope), { signal })).body;
    },
    async set(scope, limit, { signal } = {}) {
      const request = { method: 'PUT', body: { limit }, signal } as const;
      return (await transport.json<Budget>(budgetPath(scope), request)).body;
    },
  };
}
