import { AstraError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { keepReading, type Polled } from './keep-reading.ts';
import type { Limit, LimitStore } from './postgres/limits.ts';

const pollMs = 500;

/** The limits of all tenants in a process's memory, at most a second old: most tenants have none, and pay a look-up. */
export interface KnownLimits extends Polled {
  /** @throws ASTRA_UNAVAILABLE while none were ever read */
  of(tenant: string, what: 'goal' | 'task'): readonly Limit[];
}

const none: readonly Limit[] = [];

/** While Postgres is away the last known ones stay in use; nothing can begin then anyway. */
export function createKnownLimits(
  store: Pick<LimitStore, 'all' | 'revision'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): KnownLimits {
  let known: { readonly revision: number; readonly byTenant: ReadonlyMap<string, readonly Limit[]> } | undefined;
  async function refresh(): Promise<void> {
    // Read first: what changes meanwhile is read again.
    const revision = await store.revision();
    if (revision !== known?.revision) known = { revision, byTenant: await store.all() };
  }
  const polled = keepReading(refresh, {
    everyMs: pollMs,
    onAway: (error) => options.logger.warn({ err: error }, 'limits cannot be read; those known stay in force'),
  });

  return {
    ...polled,
    of(tenant, what) {
      if (!known) throw new AstraError('ASTRA_UNAVAILABLE', 'The limits of tenants were not read yet. Try again.');
      const own = known.byTenant.get(tenant);
      return own ? own.filter(({ of = 'goal' }) => of === what) : none;
    },
  };
}
