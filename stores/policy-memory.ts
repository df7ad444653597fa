import { AstraError } from '../domain/errors.ts';
import type { PolicyRule } from '../domain/schemas/approval-policy.ts';
import type { Logger } from '../platform/logger.ts';
import { keepReading } from './keep-reading.ts';
import type { ApprovalPolicyStore } from './postgres/approval-policies.ts';

/** Twice in the second within which a policy counts everywhere. */
const pollMs = 500;

export interface PolicyMemory {
  /**
   * The tenant's rules as they were at most a second ago, or, while Postgres is away, when it was last there.
   * @throws ASTRA_UNAVAILABLE while they were never read: a call that a rule may deny must not run
   */
  rulesOf(tenant: string): Promise<readonly PolicyRule[]>;
  close(): void;
}

const none: readonly PolicyRule[] = [];

/** All tenants' approval policies in the memory of a worker: to ask for one costs no query. */
export function createPolicyMemory(
  store: Pick<ApprovalPolicyStore, 'listSince'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): PolicyMemory {
  const known = new Map<string, readonly PolicyRule[]>();
  let newest: Date | null = null;
  let isKnown = false;

  async function load(): Promise<void> {
    for (const { tenant, rules, updatedAt } of await store.listSince(newest)) {
      known.set(tenant, rules);
      if (newest === null || updatedAt > newest) newest = updatedAt;
    }
    isKnown = true;
  }
  const { loaded, close } = keepReading(load, {
    everyMs: pollMs,
    onAway: (error) =>
      options.logger.warn({ err: error }, 'approval policies cannot be read; the last known ones stay in force'),
  });

  return {
    async rulesOf(tenant) {
      if (!isKnown) await loaded;
      if (isKnown) return known.get(tenant) ?? none;
      throw new AstraError('ASTRA_UNAVAILABLE', 'The approval policies cannot be read. Try again in a moment.', {
        retryAfterSeconds: 2,
      });
    },
    close,
  };
}
