import { createMiddleware } from 'hono/factory';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { AstraError } from '../../domain/errors.ts';
import { keys } from '../../stores/cache/keys.ts';
import type { ApiEnv } from '../context.ts';
import type { ReadQuota } from '../read-quota.ts';

/**
 * A quota a second for each tenant. Reads are counted in this process alone and writes in Redis for all processes: a
 * read is never what brings the system down. While Redis is away, writes too are counted here.
 * @throws ASTRA_RATE_LIMITED
 */
export function rateLimit(options: { readonly redis: Redis; readonly reads: ReadQuota; readonly perSecond: number }) {
  const { redis, reads, perSecond: points } = options;
  const writes = new RateLimiterRedis({
    storeClient: redis,
    // keys.rateLimit gives the whole key.
    keyPrefix: '',
    points,
    duration: 1,
    rejectIfRedisNotReady: true,
    insuranceLimiter: new RateLimiterMemory({ points, duration: 1 }),
    // A tenant over its quota costs no round trip for the rest of the second.
    inMemoryBlockOnConsumed: points + 1,
  });

  async function takeWrite(tenant: string): Promise<number> {
    try {
      await writes.consume(keys.rateLimit(tenant));
      return 0;
    } catch (refusal) {
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      return refusal.msBeforeNext;
    }
  }

  return createMiddleware<ApiEnv>(async (c, next) => {
    const { tenant } = c.get('principal');
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
    const waitMs = isRead ? reads.take(tenant) : await takeWrite(tenant);
    if (waitMs > 0) {
      throw new AstraError(
        'ASTRA_RATE_LIMITED',
        `The tenant may make ${points} requests a second. Wait, then try again.`,
        { retryAfterSeconds: waitMs / 1000 },
      );
    }
    await next();
  });
}
