import { LRUCache } from 'lru-cache';
import type { Knowledge } from '../domain/forecast.ts';
import type { KnownSeconds } from '../domain/task-type.ts';
import type { Logger } from '../platform/logger.ts';
import type { TaskDurationStore } from './postgres/task-durations.ts';

const freshMs = 10_000;
const mostTenants = 1_000;
const nothing: KnownSeconds = new Map();

/** What is known of how long a tenant's tasks take. */
export interface DurationMemory {
  /** At once, whatever it takes: as it was when this was last asked of the tenant, nothing if it never was. */
  recall(tenant: string): Knowledge;
  /** At most ten seconds old; what is known, or nothing, while Postgres is away. */
  read(tenant: string): Promise<KnownSeconds>;
}

interface Known {
  seconds: KnownSeconds;
  askedAtMs: number;
  asking: Promise<void> | undefined;
}

/** Asks for a tenant at most every ten seconds, and while nobody asks not at all. */
export function createDurationMemory(
  store: Pick<TaskDurationStore, 'ofTenant'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): DurationMemory {
  const tenants = new LRUCache<string, Known>({ max: mostTenants });

  async function ask(tenant: string, known: Known): Promise<void> {
    try {
      known.seconds = await store.ofTenant(tenant);
    } catch (error) {
      options.logger.warn({ err: error }, 'how long tasks take cannot be read; what is known stays in use');
    } finally {
      known.asking = undefined;
    }
  }

  function refreshed(tenant: string): Known {
    let known = tenants.get(tenant);
    if (!known) tenants.set(tenant, (known = { seconds: nothing, askedAtMs: -Infinity, asking: undefined }));
    const nowMs = performance.now();
    if (nowMs - known.askedAtMs >= freshMs) {
      known.askedAtMs = nowMs;
      known.asking = ask(tenant, known);
    }
    return known;
  }

  return {
    recall: (tenant) => ({ known: refreshed(tenant).seconds, nowMs: Date.now() }),
    async read(tenant) {
      const known = refreshed(tenant);
      await known.asking;
      return known.seconds;
    },
  };
}
