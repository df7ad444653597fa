import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ApiEnv } from '../context.ts';

/** Counts and times requests by route pattern, so that ids do not multiply the series. Streams count until they begin. */
export function observe(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: 'astra_http_requests_total',
    help: 'HTTP requests answered',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'astra_http_request_seconds',
    help: 'Time until the answer began',
    labelNames: ['route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });

  return createMiddleware<ApiEnv>(async (c, next) => {
    const begin = performance.now();
    await next();
    const matched = routePath(c, -1);
    const route = matched.endsWith('*') ? 'unmatched' : matched;
    const status = c.res.status;
    requests.inc({ method: c.req.method, route, status });
    seconds.observe({ route, status }, (performance.now() - begin) / 1000);
  });
}

/** Where reads of goals are served from: a hot read asks Redis alone. */
export function createReadCounter(registry: Registry): (source: 'redis' | 'postgres' | 'temporal') => void {
  const reads = new Counter({
    name: 'astra_reads_total',
    help: 'Queries for reads of goals, by the source asked',
    labelNames: ['source'] as const,
    registers: [registry],
  });
  return (source) => reads.inc({ source });
}
