import { setTimeout as sleep } from 'node:timers/promises';
import { AstraError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { BudgetLimits } from './postgres/budget-limits.ts';

export interface BudgetedScopes {
  /**
   * Those of the tenant that have a budget, goals apart: none of most tenants. At most some seconds old while Postgres
   * answers: a new budget is in force within about a second.
   * @throws ASTRA_UNAVAILABLE while they were never read
   */
  of(tenant: string): ReadonlySet<string>;
  /** Resolves when they were read for the first time, or could not be. */
  readonly loaded: Promise<void>;
  close(): void;
}

const refreshMs = 1_000;
const none: ReadonlySet<string> = new Set();

/** The budgets of tenants and agents by name, in the memory of a worker: a goal without any asks nobody else. */
export function createBudgetedScopes(
  limits: Pick<BudgetLimits, 'standing'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): BudgetedScopes {
  const closing = new AbortController();
  let known: ReadonlyMap<string, ReadonlySet<string>> | null = null;
  let away = false;

  async function read(): Promise<void> {
    try {
      const byTenant = Map.groupBy(await limits.standing(), ({ tenant }) => tenant);
      known = new Map([...byTenant].map(([tenant, rows]) => [tenant, new Set(rows.map(({ scope }) => scope))]));
      away = false;
    } catch (error) {
      if (!away) options.logger.warn({ err: error }, 'budgets cannot be read; those known stay in force');
      away = true;
    }
  }
  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(refreshMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted) await read();
    }
  }
  const loaded = read();
  void loaded.then(poll);

  return {
    of(tenant) {
      if (known) return known.get(tenant) ?? none;
      throw new AstraError('ASTRA_UNAVAILABLE', 'Budgets cannot be read yet. Try again in a moment.', {
        retryAfterSeconds: 1,
      });
    },
    loaded,
    close: () => closing.abort(),
  };
}
