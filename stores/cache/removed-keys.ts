import type { Redis } from 'ioredis';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { keys } from './keys.ts';

/** Longer than a statement that reads a goal from Postgres may take. */
const goneSeconds = 15;
/** At once, or a slow reader could come between. */
const markGone = `redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], 'gone', 1) redis.call('EXPIRE', KEYS[1], ARGV[1])`;

/**
 * Removes what Redis holds of goals whose rows are gone, and wakes who watches them. An empty mark stays under the goal's
 * key for 15 s. @throws ASTRA_UNAVAILABLE
 */
export async function removeGoalKeys(redis: Redis, goals: readonly GoalRef[]): Promise<void> {
  await orUnavailable(async () => {
    const pipeline = redis.pipeline();
    for (const goal of goals) {
      pipeline.eval(markGone, 1, keys.goal(goal), goneSeconds);
      pipeline.del(keys.live(goal)).publish(keys.wake(goal), 'gone');
    }
    const failed = (await pipeline.exec())?.find(([error]) => error);
    if (failed?.[0]) throw failed[0];
  });
}

/**
 * Removes everything that Redis holds of a tenant, but counters of requests: those go by themselves within a second.
 * @returns how many keys. @throws ASTRA_UNAVAILABLE
 */
export async function removeTenantKeys(redis: Redis, tenant: string): Promise<number> {
  return orUnavailable(async () => {
    let removed = 0;
    for await (const found of redis.scanStream({ match: keys.everythingOf(tenant), count: 1_000 })) {
      // A scan stream gives pages of keys.
      const page = (found as string[]).filter((key) => !key.startsWith(keys.rateLimit(tenant)));
      if (page.length > 0) removed += await redis.unlink(...page);
    }
    return removed;
  });
}

async function orUnavailable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const message = 'Redis does not answer. What it holds of what is deleted goes when it is back.';
    throw new AstraError('ASTRA_UNAVAILABLE', message, { retryAfterSeconds: 1, cause });
  }
}
