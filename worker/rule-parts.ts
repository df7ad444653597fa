import type { Pool } from 'pg';
import type { ExecutionDeps } from '../activities/execution/deps.ts';
import type { Logger } from '../platform/logger.ts';
import { createBudgetedScopes } from '../stores/budgeted-scopes.ts';
import { createPolicyMemory } from '../stores/policy-memory.ts';
import { createApprovalPolicyStore } from '../stores/postgres/approval-policies.ts';
import { createBudgetLimits } from '../stores/postgres/budget-limits.ts';
import { createBudgetLedger } from '../stores/postgres/budgets.ts';
import { createLimitParts, type LimitParts } from './limit-parts.ts';

/** What a worker knows of the rules of tenants: approval policies, budgets and limits, each from memory. */
export interface RuleParts extends Pick<LimitParts, 'sweep' | 'close'> {
  readonly ofActivities: LimitParts['ofActivities'] & Pick<ExecutionDeps, 'policies' | 'ledger' | 'budgetedScopes'>;
  /** Resolves when they are known, or cannot be read. */
  readonly loaded: Promise<unknown>;
}

export function createRuleParts(pool: Pool, options: { readonly logger: Pick<Logger, 'warn' | 'error'> }): RuleParts {
  const policies = createPolicyMemory(createApprovalPolicyStore(pool), options);
  const budgetedScopes = createBudgetedScopes(createBudgetLimits(pool), options);
  const limits = createLimitParts(pool, options);
  return {
    ofActivities: { policies, budgetedScopes, ledger: createBudgetLedger(pool), ...limits.ofActivities },
    loaded: Promise.all([budgetedScopes.loaded, limits.loaded]),
    sweep: limits.sweep,
    close() {
      for (const part of [policies, budgetedScopes, limits]) part.close();
    },
  };
}
