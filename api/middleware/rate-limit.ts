import { createMiddleware } from 'hono/factory';
import { AstraError } from '../../domain/errors.ts';
import type { ApiEnv } from '../context.ts';
import type { ReadQuota } from '../read-quota.ts';
import type { WriteQuota } from '../write-quota.ts';

/**
 * A quota a second for each tenant. Reads are counted in this process alone and writes for all processes: a read is never
 * what brings the system down.
 * @throws ASTRA_RATE_LIMITED
 */
export function rateLimit(options: {
  readonly reads: ReadQuota;
  readonly writes: WriteQuota;
  readonly perSecond: number;
}) {
  const { reads, writes, perSecond } = options;
  return createMiddleware<ApiEnv>(async (c, next) => {
    const { tenant } = c.get('principal');
    const isRead = c.req.method === 'GET' || c.req.method === 'HEAD';
    requireQuota(isRead ? reads.take(tenant) : await writes.take(tenant), perSecond);
    await next();
  });
}

/** @param waitMs as the quota said. @throws ASTRA_RATE_LIMITED unless it is 0 */
export function requireQuota(waitMs: number, perSecond: number): void {
  if (waitMs <= 0) return;
  throw new AstraError(
    'ASTRA_RATE_LIMITED',
    `The tenant may make ${perSecond} requests a second. Wait, then try again.`,
    { retryAfterSeconds: waitMs / 1000 },
  );
}
