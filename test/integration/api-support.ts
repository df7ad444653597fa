import { inject } from 'vitest';
import { createTestApp, type TestApp, type TestRequest } from '../../api/test-support/test-app.ts';
import type { TestTokens } from '../../api/test-support/tokens.ts';
import type { ApiDeps } from '../../api/deps.ts';
import { createRecordBench, type Process, type RecordBench } from './record-support.ts';
import { until } from '../support/until.ts';

/** The API in process on real servers, and beside it what a worker records with. */
export interface ApiBench {
  readonly bench: RecordBench;
  readonly worker: Process;
  readonly app: TestApp;
  /** Another API process. */
  startApp(options?: {
    readonly tokens?: TestTokens;
    readonly deps?: Partial<ApiDeps>;
    readonly without?: 'redis' | 'postgres' | 'temporal';
  }): Promise<TestApp>;
  get(path: string, options?: TestRequest): Promise<{ readonly status: number; readonly body: unknown }>;
  post(
    path: string,
    json?: unknown,
    options?: TestRequest,
  ): Promise<{ readonly status: number; readonly body: unknown }>;
  stop(): Promise<void>;
}

export async function createApiBench(): Promise<ApiBench> {
  const { connection } = inject('stack');
  const bench = await createRecordBench();
  const worker = await bench.start();
  const apps: TestApp[] = [];
  const urls = {
    redis: { redisUrl: bench.redisUrl },
    postgres: { databaseUrl: bench.databaseUrl },
    temporal: { temporalAddress: connection.temporalAddress },
  };

  async function startApp({ tokens, deps = {}, without }: Parameters<ApiBench['startApp']>[0] = {}): Promise<TestApp> {
    const kept = Object.entries(urls).filter(([name]) => name !== without);
    const servers = Object.assign({}, ...kept.map(([, url]) => url)) as object;
    const started = await createTestApp({ servers, tenant: bench.tenant, tokens, deps });
    apps.push(started);
    if (without !== 'redis') await until(() => started.cacheTrusted(), 'the view cache is trusted');
    return started;
  }
  const app = await startApp();
  const parsed = async (response: Response) => {
    const text = await response.text();
    return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) };
  };

  return {
    bench,
    worker,
    app,
    startApp,
    get: async (path, options = {}) => parsed(await app.request(path, options)),
    post: async (path, json, options = {}) =>
      parsed(await app.request(path, { method: 'POST', ...(json === undefined ? {} : { json }), ...options })),
    async stop() {
      await Promise.all(apps.map((each) => each.close()));
      await bench.stop();
    },
  };
}
