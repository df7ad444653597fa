import { Client, Connection } from '@temporalio/client';
import { createApp } from '../app.ts';
import type { ApiDeps } from '../deps.ts';
import { createGoalEngine } from '../goals/goal-engine.ts';
import { createReadCounter } from '../middleware/observe.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createLogger } from '../../platform/logger.ts';
import { createLiveLane } from '../../stores/cache/live-lane.ts';
import { createViewCache } from '../../stores/cache/view-cache.ts';
import { createGoalReader } from '../../stores/goal-reader.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { createArtifactList } from '../../stores/postgres/artifacts.ts';
import { createGoalList } from '../../stores/postgres/goal-list.ts';
import { createPool } from '../../stores/postgres/pool.ts';
import { createTemplateStore } from '../../stores/postgres/templates.ts';
import { createToolStore } from '../../stores/postgres/tools.ts';
import { createRedis } from '../../stores/redis.ts';
import { createToolCatalogue } from '../../stores/tool-catalogue.ts';
import { createTestTokens, type TestTokens } from './tokens.ts';

export interface TestAppOptions {
  /** Where the servers are. Those left out are at a port where nothing listens. */
  readonly servers?: { readonly redisUrl?: string; readonly databaseUrl?: string; readonly temporalAddress?: string };
  /** Whose token requests carry; `tenant-a` unless given. */
  readonly tenant?: string;
  readonly deps?: Partial<ApiDeps>;
}

export interface TestApp {
  readonly deps: ApiDeps;
  readonly tokens: TestTokens;
  /** In process, with a token of the tenant unless `as` gives another or null. */
  request(path: string, options?: TestRequest): Promise<Response>;
  /** Until the views in Redis are believed, which takes a moment after the start. */
  cacheTrusted(): boolean;
  close(): Promise<void>;
}
export interface TestRequest extends RequestInit {
  readonly as?: string | null;
  /** Sent as JSON. */
  readonly json?: unknown;
}

const secret = (value: string) => ({ reveal: () => value });

/** The real application with its real parts. */
export async function createTestApp({
  servers = {},
  tenant = 'tenant-a',
  deps: given = {},
}: TestAppOptions = {}): Promise<TestApp> {
  const tokens = await createTestTokens();
  const redis = createRedis({ REDIS_URL: secret(servers.redisUrl ?? 'redis://127.0.0.1:9') });
  const pool = createPool({ DATABASE_URL: secret(servers.databaseUrl ?? 'postgres://127.0.0.1:9/none') });
  const connection = Connection.lazy({ address: servers.temporalAddress ?? '127.0.0.1:9' });
  const temporal = new Client({ connection });
  const logger = createLogger({ name: 'test', level: 'silent' });
  const viewCache = createViewCache(redis);
  const lane = createLiveLane(redis);
  const tools = createToolStore(pool);
  const metrics = createMetrics();
  const countRead = createReadCounter(metrics);
  const deps: ApiDeps = {
    config: {
      ASTRA_PUBLIC_URL: 'http://astra.test',
      ASTRA_TEMPORAL_UI_URL: 'http://temporal.test',
      TEMPORAL_NAMESPACE: 'default',
      ASTRA_MODEL: undefined,
      ASTRA_RATE_LIMIT_PER_SECOND: 2_000,
    },
    logger,
    metrics,
    verifyToken: tokens.verifyToken,
    redis,
    temporal,
    engine: createGoalEngine(temporal, { onRead: () => countRead('temporal') }),
    reader: createGoalReader({ pool, viewCache, onQuery: countRead }),
    lane,
    goalList: createGoalList(pool),
    approvals: createApprovalStore(pool),
    templates: createTemplateStore(pool),
    tools,
    catalogue: createToolCatalogue(tools, { logger }),
    artifactList: createArtifactList(pool),
    artifactStore: { presign: async (_tenant, { sha256 }) => `http://s3.test/${sha256}` },
    checks: {},
    shutdown: new AbortController().signal,
    ...given,
  };
  const app = createApp(deps);
  const token = await tokens.sign({ tenant });

  return {
    deps,
    tokens,
    async request(path, { as = token, json, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (as !== null) headers.set('authorization', `Bearer ${as}`);
      if (json !== undefined) headers.set('content-type', 'application/json');
      return app.request(path, { ...init, headers, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
    },
    cacheTrusted: () => viewCache.trusted,
    async close() {
      await lane.shutdown();
      viewCache.close();
      redis.disconnect();
      await pool.end();
      // A retry of a call that was given up would throw into a closed channel.
      if (servers.temporalAddress !== undefined) await connection.close();
    },
  };
}
