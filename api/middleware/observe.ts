import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { Counter, type Registry } from 'prom-client';
import type { ApiEnv } from '../context.ts';
import type { RequestCounter } from '../request-counter.ts';

/** Streams count until they begin. */
export const observe = (requests: RequestCounter) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const begunAtMs = performance.now();
    await next();
    const matched = routePath(c, -1);
    const route = matched.endsWith('*') ? 'unmatched' : matched;
    requests.series({ method: c.req.method, route, status: c.res.status })(begunAtMs);
  });

type ReadSource = 'memory' | 'redis' | 'postgres' | 'temporal';

/** Where reads of goals are served from: a hot read asks nobody, or Redis alone. */
export function createReadCounter(registry: Registry): (source: ReadSource) => void {
  const counts = new Map<ReadSource, number>();
  new Counter({
    name: 'astra_reads_total',
    help: 'Reads of goals, by the source asked',
    labelNames: ['source'] as const,
    registers: [registry],
    collect() {
      for (const [source, count] of counts) this.inc({ source }, count);
      counts.clear();
    },
  });
  return (source) => counts.set(source, (counts.get(source) ?? 0) + 1);
}
