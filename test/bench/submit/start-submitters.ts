import { join } from 'node:path';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import type { BareRequest } from './bare-starts.ts';
import { startBenchChild } from './bench-child.ts';
import type { LoopResult } from './closed-loop.ts';
import type { HttpAnswer, HttpRequest } from './http-load.ts';

export interface Submitters {
  http(request: HttpRequest): Promise<HttpAnswer>;
  bare(request: BareRequest): Promise<LoopResult>;
  /** Of all processes, by name; the two callers are `http` and `bare`. */
  pids(): Readonly<Record<string, number>> & Readonly<Record<'http' | 'bare', number>>;
  stop(): Promise<void>;
}

/**
 * An API on servers of its own, a process that submits to it, and one that starts the same workflows without it. The
 * worker that announced the tools is stopped, so that both measure starts alone; nothing is refused for want of one.
 */
export async function startSubmitters(): Promise<Submitters> {
  const stack = await startTestStack({
    processes: 'all',
    env: { ...process.env, ASTRA_MAX_QUEUE_SECONDS: '0', ASTRA_RATE_LIMIT_PER_SECOND: '100000' },
  });
  try {
    await stack.stopComponent('worker');
    const { apiUrl, token } = stack.connection;
    const env = { ...stack.env, BENCH_API_URL: apiUrl, BENCH_TOKEN: token };
    const start = <Request extends object, Answer>(script: string) =>
      startBenchChild<Request, Answer>(join(import.meta.dirname, script), { env, guard: stack.guard });
    const http = await start<HttpRequest, HttpAnswer>('http-load.ts');
    const bare = await start<BareRequest, LoopResult>('bare-starts.ts');
    return {
      http: http.ask,
      bare: bare.ask,
      pids: () => ({ ...stack.connection.processes, http: http.process.pid ?? 0, bare: bare.process.pid ?? 0 }),
      async stop() {
        http.process.kill();
        bare.process.kill();
        await stack.stop();
      },
    };
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
