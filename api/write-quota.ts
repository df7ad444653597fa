import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { keys } from '../stores/cache/keys.ts';

export interface WriteQuota {
  /** Counts a write of the tenant. @returns 0, or for how many milliseconds it may make no other */
  take(tenant: string): Promise<number>;
}

/** A quota a second for each tenant, counted in Redis for all processes; while it is away, in this one. */
export function createWriteQuota(redis: Redis, perSecond: number): WriteQuota {
  const writes = new RateLimiterRedis({
    storeClient: redis,
    // keys.rateLimit gives the whole key.
    keyPrefix: '',
    points: perSecond,
    duration: 1,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points: perSecond, duration: 1 }),
    // A tenant over its quota costs no round trip for the rest of the second.
    inMemoryBlockOnConsumed: perSecond + 1,
  });
  return {
    async take(tenant) {
      try {
        await writes.consume(keys.rateLimit(tenant));
        return 0;
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal;
        return refusal.msBeforeNext;
      }
    },
  };
}
