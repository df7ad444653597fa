import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import { Counter, Histogram, type Registry } from 'prom-client';
import type { ApiEnv } from '../context.ts';

interface AnsweredRequest {
  readonly method: string;
  /** The pattern of the path: ids would multiply the series. */
  readonly route: string;
  readonly status: number;
}

/** Counts and times requests. `begunAtMs` is of `performance.now()`. */
export interface RequestCounter {
  count(request: AnsweredRequest, begunAtMs: number): void;
  /** For what is answered many thousand times a second: prom-client takes 2 µs a call, and a fifth in a loop. */
  series(request: AnsweredRequest): (begunAtMs: number) => void;
}

const batchSize = 256;

export function createRequestCounter(registry: Registry): RequestCounter {
  const flushes: (() => void)[] = [];
  const collect = (): void => flushes.forEach((flush) => flush());
  const requests = new Counter({
    name: 'astra_http_requests_total',
    help: 'HTTP requests answered',
    labelNames: ['method', 'route', 'status'] as const,
    registers: [registry],
    collect,
  });
  const seconds = new Histogram({
    name: 'astra_http_request_seconds',
    help: 'Time until the answer began',
    labelNames: ['route', 'status'] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers: [registry],
    collect,
  });
  const sinceSeconds = (begunAtMs: number): number => (performance.now() - begunAtMs) / 1000;

  return {
    count({ method, route, status }, begunAtMs) {
      requests.inc({ method, route, status });
      seconds.observe({ route, status }, sinceSeconds(begunAtMs));
    },
    series({ method, route, status }) {
      let batch: number[] = [];
      const flush = (): void => {
        const taken = batch;
        batch = [];
        if (taken.length > 0) requests.inc({ method, route, status }, taken.length);
        for (const each of taken) seconds.observe({ route, status }, each);
      };
      flushes.push(flush);
      return (begunAtMs) => {
        if (batch.push(sinceSeconds(begunAtMs)) >= batchSize) flush();
      };
    },
  };
}

/** Streams count until they begin. */
export const observe = (requests: RequestCounter) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const begunAtMs = performance.now();
    await next();
    const matched = routePath(c, -1);
    const route = matched.endsWith('*') ? 'unmatched' : matched;
    requests.count({ method: c.req.method, route, status: c.res.status }, begunAtMs);
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
