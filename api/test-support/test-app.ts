import { Client, Connection } from '@temporalio/client';
import { createAdmission } from '../admission/admission.ts';
import { createBacklog } from '../admission/backlog.ts';
import { createApp } from '../app.ts';
import type { ApiDeps } from '../deps.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { createGoalEngine } from '../goals/goal-engine.ts';
import { createReadCounter } from '../middleware/observe.ts';
import { createScheduleEngine } from '../schedules/schedule-engine.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createLogger } from '../../platform/logger.ts';
import { createSecretBox } from '../../platform/secret-box.ts';
import { createLiveLane } from '../../stores/cache/live-lane.ts';
import { createViewCache } from '../../stores/cache/view-cache.ts';
import { createViewMemory } from '../../stores/cache/view-memory.ts';
import { createDurationMemory } from '../../stores/duration-memory.ts';
import { createGoalReader } from '../../stores/goal-reader.ts';
import { createHotViews } from '../../stores/hot-views.ts';
import { createApprovalPolicyStore } from '../../stores/postgres/approval-policies.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { createArchivedGoals } from '../../stores/postgres/archived-goals.ts';
import { createArtifactList } from '../../stores/postgres/artifacts.ts';
import { createCascadeStore } from '../../stores/postgres/cascades.ts';
import { createDeliveryLog } from '../../stores/postgres/delivery-log.ts';
import { createDeletionStore } from '../../stores/postgres/deletions.ts';
import { createBudgetLimits } from '../../stores/postgres/budget-limits.ts';
import { createBudgetLedger } from '../../stores/postgres/budgets.ts';
import { createParkedTaskStore } from '../../stores/postgres/parked-tasks.ts';
import { createGoalList } from '../../stores/postgres/goal-list.ts';
import { createInboundWebhookStore } from '../../stores/postgres/inbound-webhooks.ts';
import { createGoalTree } from '../../stores/postgres/goal-tree.ts';
import { createLimitWaiters } from '../../stores/postgres/limit-waiters.ts';
import { createLimitStore } from '../../stores/postgres/limits.ts';
import { createPlanProposals } from '../../stores/postgres/plan-proposals.ts';
import { createPool } from '../../stores/postgres/pool.ts';
import { createSigningSecrets } from '../../stores/postgres/signing-secrets.ts';
import { createRetentionPolicies } from '../../stores/postgres/retention-policies.ts';
import { createTaskDurationStore } from '../../stores/postgres/task-durations.ts';
import { createTemplateStore } from '../../stores/postgres/templates.ts';
import { createToolStore } from '../../stores/postgres/tools.ts';
import { createWebhookStore } from '../../stores/postgres/webhooks.ts';
import { createRedis } from '../../stores/redis.ts';
import { createRevokedTokenStore } from '../../stores/postgres/revoked-tokens.ts';
import { createRevokedTokens } from '../../stores/revoked-tokens.ts';
import { createToolCatalogue } from '../../stores/tool-catalogue.ts';
import { createTestTokens, type TestTokens } from './tokens.ts';

export interface TestAppOptions {
  /** Where the servers are. Those left out are at a port where nothing listens. */
  readonly servers?: { readonly redisUrl?: string; readonly databaseUrl?: string; readonly temporalAddress?: string };
  /** Whose token requests carry; `tenant-a` unless given. */
  readonly tenant?: string;
  /** Another app's, so that both accept the same tokens. */
  readonly tokens?: TestTokens | undefined;
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
  tokens: givenTokens,
  deps: given = {},
}: TestAppOptions = {}): Promise<TestApp> {
  const tokens = givenTokens ?? (await createTestTokens());
  const redis = createRedis({ REDIS_URL: secret(servers.redisUrl ?? 'redis://127.0.0.1:9') });
  const pool = createPool({ DATABASE_URL: secret(servers.databaseUrl ?? 'postgres://127.0.0.1:9/none') });
  const connection = Connection.lazy({ address: servers.temporalAddress ?? '127.0.0.1:9' });
  const temporal = new Client({ connection });
  const logger = createLogger({ name: 'test', level: 'silent' });
  const viewCache = createViewCache(redis);
  const memory = createViewMemory(redis, { maxBytes: 2 ** 20 });
  const revokedTokens = createRevokedTokens({ store: createRevokedTokenStore(pool), redis }, { logger });
  const lane = createLiveLane(redis);
  const tools = createToolStore(pool);
  const metrics = createMetrics();
  const countRead = createReadCounter(metrics);
  const goalList = createGoalList(pool);
  const backlog = createBacklog({ findBegun: goalList.findRecorded });
  const config = {
    ASTRA_PUBLIC_URL: 'http://astra.test',
    ASTRA_TEMPORAL_UI_URL: 'http://temporal.test',
    TEMPORAL_NAMESPACE: 'default',
    ASTRA_MODEL: undefined,
    ASTRA_RATE_LIMIT_PER_SECOND: 2_000,
  };
  const secretBox = createSecretBox(secret(Buffer.alloc(32, 7).toString('base64')));
  const hotViews = createHotViews({
    viewCache,
    memory,
    render: createGoalLinks(config).addTo,
    onQuery: countRead,
  });
  const durations = createDurationMemory(createTaskDurationStore(pool), { logger });
  const deps: ApiDeps = {
    config,
    logger,
    metrics,
    tokens: tokens.verifier(revokedTokens.has),
    revokedTokens,
    redis,
    temporal,
    tellWorkers: () => Promise.resolve(),
    admission: createAdmission({ backlog, maxQueueSeconds: 10 }),
    engine: createGoalEngine(temporal, { onRead: () => countRead('temporal') }),
    schedules: createScheduleEngine(temporal),
    reader: createGoalReader({ pool, viewCache, hotViews, durations, onQuery: countRead }),
    durations,
    hotViews,
    lane,
    goalList,
    cascades: createCascadeStore(pool),
    proposals: createPlanProposals(pool),
    approvals: createApprovalStore(pool),
    approvalPolicies: createApprovalPolicyStore(pool),
    budgets: createBudgetLimits(pool),
    ledger: createBudgetLedger(pool),
    limits: createLimitStore(pool),
    limitWaiters: createLimitWaiters(pool),
    parkedTasks: createParkedTaskStore(pool),
    templates: createTemplateStore(pool),
    tools,
    catalogue: createToolCatalogue(tools, { logger }),
    webhooks: createWebhookStore(pool, secretBox),
    signingSecrets: createSigningSecrets(pool, secretBox),
    deliveryLog: createDeliveryLog(pool),
    inboundWebhooks: createInboundWebhookStore(pool, secretBox),
    artifactList: createArtifactList(pool),
    artifactStore: { presign: async (_tenant, { sha256 }) => `http://s3.test/${sha256}` },
    goalTree: createGoalTree(pool),
    retention: createRetentionPolicies(pool),
    deletions: createDeletionStore(pool),
    archivedGoals: createArchivedGoals(pool),
    archive: {
      presignRecord: async ({ goalId }) => `http://s3.test/archive/${goalId}`,
      presignArtifact: async ({ goalId }, { sha256 }) => `http://s3.test/archive/${goalId}/${sha256}`,
    },
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
      const body = json === undefined ? {} : { body: JSON.stringify(json) };
      const request = new Request(new URL(path, 'http://astra.test'), { ...init, headers, ...body });
      const incoming = { method: request.method, url: path, headers: Object.fromEntries(headers), socket: {} };
      return app.fetch(request, { incoming });
    },
    cacheTrusted: () => viewCache.trusted,
    async close() {
      await lane.shutdown();
      backlog.close();
      revokedTokens.close();
      memory.close();
      viewCache.close();
      redis.disconnect();
      await pool.end();
      // A retry of a call that was given up would throw into a closed channel.
      if (servers.temporalAddress !== undefined) await connection.close();
    },
  };
}
