import { setTimeout as sleep } from 'node:timers/promises';
import { AstraError } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { Limit, LimitStore } from './postgres/limits.ts';

const pollMs = 500;

/** The limits of all tenants in a process's memory, at most a second old: most tenants have none, and pay a look-up. */
export interface KnownLimits {
  /** @throws ASTRA_UNAVAILABLE while none were ever read */
  of(tenant: string, what: 'goal' | 'task'): readonly Limit[];
  /** Resolves when they were read for the first time, or cannot be. */
  readonly loaded: Promise<void>;
  close(): void;
}

const none: readonly Limit[] = [];

/** While Postgres is away the last known ones stay in use; nothing can begin then anyway. */
export function createKnownLimits(
  store: Pick<LimitStore, 'all' | 'revision'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): KnownLimits {
  const closing = new AbortController();
  let known: { readonly revision: number; readonly byTenant: ReadonlyMap<string, readonly Limit[]> } | undefined;
  let away = false;

  async function refresh(): Promise<void> {
    try {
      // Read first: what changes meanwhile is read again.
      const revision = await store.revision();
      if (revision !== known?.revision) known = { revision, byTenant: await store.all() };
      away = false;
    } catch (error) {
      if (!away) options.logger.warn({ err: error }, 'limits cannot be read; those known stay in force');
      away = true;
    }
  }
  async function poll(): Promise<void> {
    while (!closing.signal.aborted) {
      await sleep(pollMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted) await refresh();
    }
  }
  const loaded = refresh();
  void loaded.then(poll);

  return {
    of(tenant, what) {
      if (!known) throw new AstraError('ASTRA_UNAVAILABLE', 'The limits of tenants were not read yet. Try again.');
      const own = known.byTenant.get(tenant);
      return own ? own.filter(({ of = 'goal' }) => of === what) : none;
    },
    loaded,
    close: () => closing.abort(),
  };
}
