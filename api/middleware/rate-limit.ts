import { createMiddleware } from 'hono/factory';
import type { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import { AstraError } from '../../domain/errors.ts';
import { keys } from '../../stores/cache/keys.ts';
import type { ApiEnv } from '../context.ts';

/**
 * A quota a second for each tenant. Reads are counted in this process alone and writes in Redis for all processes: a
 * Redis round trip for each cached read would double its cost, and a read is never what brings the system down. While
 * Redis is away, writes too are counted here.
 * @throws ASTRA_RATE_LIMITED
 */
export function rateLimit(options: { readonly redis: Redis; readonly perSecond: number }) {
  const { redis, perSecond: points } = options;
  const reads = new RateLimiterMemory({ points, duration: 1 });
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

  return createMiddleware<ApiEnv>(async (c, next) => {
    const limiter = c.req.method === 'GET' || c.req.method === 'HEAD' ? reads : writes;
    await consume(limiter, c.get('principal').tenant, points);
    await next();
  });
}

async function consume(limiter: RateLimiterAbstract, tenant: string, perSecond: number): Promise<void> {
  try {
    await limiter.consume(keys.rateLimit(tenant));
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    throw new AstraError(
      'ASTRA_RATE_LIMITED',
      `The tenant may make ${perSecond} requests a second. Wait, then try again.`,
      {
        retryAfterSeconds: refusal.msBeforeNext / 1000,
      },
    );
  }
}
