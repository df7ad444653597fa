import { AstraError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { keepReading, type Polled } from './keep-reading.ts';
import type { BudgetLimits } from './postgres/budget-limits.ts';

export interface BudgetedScopes extends Polled {
  /**
   * Those of the tenant that have a budget, goals apart: none of most tenants. At most some seconds old while Postgres
   * answers: a new budget is in force within about a second.
   * @throws ASTRA_UNAVAILABLE while they were never read
   */
  of(tenant: string): ReadonlySet<string>;
}

const refreshMs = 1_000;
const none: ReadonlySet<string> = new Set();

/** The budgets of tenants and agents by name, in the memory of a worker: a goal without any asks nobody else. */
export function createBudgetedScopes(
  limits: Pick<BudgetLimits, 'standing'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): BudgetedScopes {
  let known: ReadonlyMap<string, ReadonlySet<string>> | null = null;
  async function read(): Promise<void> {
    const byTenant = Map.groupBy(await limits.standing(), ({ tenant }) => tenant);
    known = new Map([...byTenant].map(([tenant, rows]) => [tenant, new Set(rows.map(({ scope }) => scope))]));
  }
  const polled = keepReading(read, {
    everyMs: refreshMs,
    onAway: (error) => options.logger.warn({ err: error }, 'budgets cannot be read; those known stay in force'),
  });

  return {
    ...polled,
    of(tenant) {
      if (known) return known.get(tenant) ?? none;
      throw new AstraError('ASTRA_UNAVAILABLE', 'Budgets cannot be read yet. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
    },
  };
}
