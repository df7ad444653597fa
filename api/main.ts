import { serve } from '@hono/node-server';
import { Client, Connection } from '@temporalio/client';
import type { Server } from 'node:http';
import { startAdminServer } from '../platform/admin-server.ts';
import { loadConfig } from '../platform/config.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { createSecretBox } from '../platform/secret-box.ts';
import { untilSignal } from '../platform/shutdown.ts';
import { createArchiveStore } from '../stores/archive/archive-store.ts';
import { createArtifactStore } from '../stores/artifacts/artifact-store.ts';
import { createLiveLane } from '../stores/cache/live-lane.ts';
import { createViewCache } from '../stores/cache/view-cache.ts';
import { createViewMemory } from '../stores/cache/view-memory.ts';
import { createDurationMemory } from '../stores/duration-memory.ts';
import { createGoalReader } from '../stores/goal-reader.ts';
import { createHotViews } from '../stores/hot-views.ts';
import { createApprovalPolicyStore } from '../stores/postgres/approval-policies.ts';
import { createApprovalStore } from '../stores/postgres/approvals.ts';
import { createArchivedGoals } from '../stores/postgres/archived-goals.ts';
import { createArtifactList } from '../stores/postgres/artifacts.ts';
import { createCascadeStore } from '../stores/postgres/cascades.ts';
import { createDeliveryLog } from '../stores/postgres/delivery-log.ts';
import { createCompensationStore } from '../stores/postgres/compensations.ts';
import { createDeletionStore } from '../stores/postgres/deletions.ts';
import { createBudgetLimits } from '../stores/postgres/budget-limits.ts';
import { createBudgetLedger } from '../stores/postgres/budgets.ts';
import { createParkedTaskStore } from '../stores/postgres/parked-tasks.ts';
import { createGoalList } from '../stores/postgres/goal-list.ts';
import { createInboundWebhookStore } from '../stores/postgres/inbound-webhooks.ts';
import { createGoalTree } from '../stores/postgres/goal-tree.ts';
import { createLimitWaiters } from '../stores/postgres/limit-waiters.ts';
import { createLimitStore } from '../stores/postgres/limits.ts';
import { createPlanProposals } from '../stores/postgres/plan-proposals.ts';
import { createPool } from '../stores/postgres/pool.ts';
import { createRetentionPolicies } from '../stores/postgres/retention-policies.ts';
import { createRevokedTokenStore } from '../stores/postgres/revoked-tokens.ts';
import { createSigningSecrets } from '../stores/postgres/signing-secrets.ts';
import { createTaskDurationStore } from '../stores/postgres/task-durations.ts';
import { createTemplateStore } from '../stores/postgres/templates.ts';
import { createToolStore } from '../stores/postgres/tools.ts';
import { createWebhookStore } from '../stores/postgres/webhooks.ts';
import { createRedis } from '../stores/redis.ts';
import { createRevokedTokens } from '../stores/revoked-tokens.ts';
import { createAdmission } from './admission/admission.ts';
import { createAdmissionMetrics } from './admission/admission-metrics.ts';
import { createBacklog } from './admission/backlog.ts';
import { createApp } from './app.ts';
import { loadKeys } from './auth/load-keys.ts';
import { createTokenVerifier } from './auth/token-verifier.ts';
import { createToolCatalogue } from '../stores/tool-catalogue.ts';
import { createGoalLinks } from './goals/goal-links.ts';
import { createGoalEngine } from './goals/goal-engine.ts';
import { createTellWorkers } from './goals/tell-workers.ts';
import { createHealthChecks } from './health-checks.ts';
import { createReadCounter } from './middleware/observe.ts';
import { createScheduleEngine } from './schedules/schedule-engine.ts';

/** Requests in flight get this long to finish. */
const graceMs = 10_000;

const config = loadConfig(process.env);
const logger = createLogger({ name: 'api', level: config.ASTRA_LOG_LEVEL });
const metrics = createMetrics();
const pool = createPool(config, { logger });
const redis = createRedis(config, { logger });
// Lazy: the API starts, reads and says what is missing while Temporal is away.
const connection = Connection.lazy({ address: config.TEMPORAL_ADDRESS });
const temporal = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
const lane = createLiveLane(redis);
const viewCache = createViewCache(redis, { logger });
const memoryBytes = config.ASTRA_VIEW_MEMORY_MIB * 2 ** 20;
const memory = memoryBytes > 0 ? createViewMemory(redis, { maxBytes: memoryBytes }) : undefined;
const revokedTokens = createRevokedTokens({ store: createRevokedTokenStore(pool), redis }, { logger });
const countRead = createReadCounter(metrics);
const hotViews = createHotViews({
  viewCache,
  memory,
  render: createGoalLinks(config).addTo,
  onQuery: countRead,
});
const durations = createDurationMemory(createTaskDurationStore(pool), { logger });
const artifactStore = createArtifactStore(config);
const archive = createArchiveStore(config);
const checks = createHealthChecks({ pool, redis, connection, artifactStore, namespace: config.TEMPORAL_NAMESPACE });
const tools = createToolStore(pool);
const goalList = createGoalList(pool);
const { onMeasured, onRefused } = createAdmissionMetrics(metrics);
const backlog = createBacklog({ findBegun: goalList.findRecorded, onMeasured });
const secretBox = createSecretBox(config.ASTRA_SECRETS_KEY);
const goingDown = new AbortController();

const app = createApp({
  config,
  logger,
  metrics,
  tokens: createTokenVerifier({
    keys: await loadKeys(config),
    issuer: config.ASTRA_JWT_ISSUER,
    audience: config.ASTRA_JWT_AUDIENCE,
    isRevoked: revokedTokens.has,
  }),
  revokedTokens,
  redis,
  temporal,
  admission: createAdmission({ backlog, maxQueueSeconds: config.ASTRA_MAX_QUEUE_SECONDS, onRefused }),
  engine: createGoalEngine(temporal, { onRead: () => countRead('temporal') }),
  schedules: createScheduleEngine(temporal),
  tellWorkers: createTellWorkers({ redis, findRunning: createCompensationStore(pool).runningTree }),
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
  artifactStore,
  goalTree: createGoalTree(pool),
  retention: createRetentionPolicies(pool),
  deletions: createDeletionStore(pool),
  archivedGoals: createArchivedGoals(pool),
  archive,
  checks,
  shutdown: goingDown.signal,
});

const admin = await startAdminServer({
  port: config.ASTRA_ADMIN_PORT,
  metrics,
  checks: { ...checks, reads: () => Promise.any([checks.redis(), checks.postgres()]) },
  required: ['temporal', 'reads'],
});
await revokedTokens.loaded;
const server = await listen();
await untilSignal(logger);
goingDown.abort();
await close(server);
await admin.close();
await lane.shutdown();
backlog.close();
revokedTokens.close();
memory?.close();
viewCache.close();
redis.disconnect();
artifactStore.close();
archive.close();
await pool.end();
// The channel to Temporal is not closed: a retry of a call that was given up would throw into a closed one.
process.exit(0);

function listen(): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Without createServer it serves HTTP/1.1, so the server is node:http's.
    const listening = serve(
      { fetch: app.fetch, hostname: config.ASTRA_API_HOST, port: config.ASTRA_API_PORT },
      ({ address, port }) => {
        logger.info({ url: `http://${address}:${port}`, adminPort: admin.port }, 'listening');
        resolve(listening);
      },
    ) as Server;
    listening.once('error', reject);
  });
}

/** Takes no new connection, lets requests finish, then cuts what is left. */
async function close(listening: Server): Promise<void> {
  const cut = setTimeout(() => listening.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    listening.close(() => resolve());
  });
  clearTimeout(cut);
}
