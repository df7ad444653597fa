import type { Pool } from 'pg';
import type { Redis } from 'ioredis';
import type { Client } from '@temporalio/client';
import type { Registry } from 'prom-client';
import type { Activities } from '../activities/contract.ts';
import { createActivities } from '../activities/index.ts';
import { createRunningAttempts } from '../activities/execution/running-attempts.ts';
import { createModel, type Model } from '../activities/llm/model.ts';
import { createRecorder, type RecorderDeps } from '../activities/projection/recorder.ts';
import { fallbackPlanner } from '../activities/planner/fallback-planner.ts';
import { loadPlannerModules } from '../activities/planner/load-planner-modules.ts';
import { createPlannerRegistry } from '../activities/planner/planner-registry.ts';
import { createSandbox } from '../activities/sandbox/create-sandbox.ts';
import { builtInTools } from '../activities/tools/built-in-tools.ts';
import { createEgressPolicy, type EgressPolicy } from '../activities/tools/egress-policy.ts';
import { createInlinePool } from '../activities/tools/inline-pool.ts';
import { loadToolModules } from '../activities/tools/load-tool-modules.ts';
import { createToolRegistry, type ToolRegistry } from '../activities/tools/registry.ts';
import { createToolArtifacts } from '../activities/tools/tool-artifacts.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { createAnswerCache } from '../stores/cache/answer-cache.ts';
import { listenForCancels } from '../stores/cache/cancel-channel.ts';
import { createLivePublisher } from '../stores/cache/live-publisher.ts';
import { createViewCache } from '../stores/cache/view-cache.ts';
import { createArtifactList } from '../stores/postgres/artifacts.ts';
import { createCascadeStore } from '../stores/postgres/cascades.ts';
import { createGoalWaits } from '../stores/postgres/goal-waits.ts';
import { createCompensationStore } from '../stores/postgres/compensations.ts';
import { createPlanProposals } from '../stores/postgres/plan-proposals.ts';
import { createPool } from '../stores/postgres/pool.ts';
import { createTaskDurationStore } from '../stores/postgres/task-durations.ts';
import { createTemplateStore } from '../stores/postgres/templates.ts';
import { createToolStore } from '../stores/postgres/tools.ts';
import { createDurationLog } from '../stores/duration-log.ts';
import { createRedis } from '../stores/redis.ts';
import { createToolCatalogue } from '../stores/tool-catalogue.ts';
import { createWakeWaiting } from './wake-waiting.ts';
import { createNotifications } from './notifications.ts';
import { createRuleParts } from './rule-parts.ts';
import { createRetentionParts } from './retention-parts.ts';
import { createWorkerMetrics } from './worker-metrics.ts';

const mebibyte = 1024 * 1024;

interface PartsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** For inline tools. */
  readonly threads: number;
  /** Asked for when it is needed first, so that making the parts does not wait for a connection. */
  readonly temporal: () => Promise<Client>;
}

export interface WorkerParts {
  readonly activities: Activities;
  readonly pool: Pool;
  readonly redis: Redis;
  /** Puts this worker's tools into the catalogue, so that plans may name them. */
  announceTools(): Promise<void>;
  /** Looks after the slots of goals, until `close`. */
  sweepLimits(client: Client): void;
  /** Records what waits, then lets go of everything. */
  close(): Promise<void>;
}

/** Everything a worker is made of, but Temporal. */
export async function createParts({ config, logger, metrics, threads, temporal }: PartsOptions): Promise<WorkerParts> {
  const [model, egress] = [createModel(config), createEgressPolicy(config.ASTRA_EGRESS_ALLOW)];
  const tools = await createTools(config, { egress, model });
  const inlinePool = createInlinePool({ threads, toolModules: config.ASTRA_TOOL_MODULES });

  const pool = createPool(config, { logger });
  const redis = createRedis(config, { logger });
  const viewCache = createViewCache(redis, { logger });
  const { committed, scheduled: onScheduled, attempted: onAttempted } = createWorkerMetrics(metrics);
  const notifications = await createNotifications({ config, pool, redis, egress, logger, onAttempted });
  const goalWaits = createGoalWaits(pool);
  const durations = createDurationLog(createTaskDurationStore(pool), { logger });
  const onCommitted: RecorderDeps['onCommitted'] = (written) => {
    committed(written);
    if (written.deliveries > 0) notifications.wake();
  };
  const onAwaitedEnd = createWakeWaiting({ goalWaits, temporal, logger });
  const memoryBytes = config.ASTRA_RECORD_MEMORY_MIB * mebibyte;
  const { findDeliveries } = notifications;
  const told = { findDeliveries, onCommitted, onAwaitedEnd, onDuration: durations.add };
  const recorder = createRecorder({ pool, viewCache, logger, memoryBytes, ...told });
  const answers = createAnswerCache({ memcachedServers: config.MEMCACHED_SERVERS, redis, logger });
  const retention = createRetentionParts({ config, pool, redis, answers, recorder, durations, logger });
  const [toolStore, artifactList] = [createToolStore(pool), createArtifactList(pool)];
  const rules = createRuleParts(pool, { logger });
  await rules.loaded;
  const running = createRunningAttempts();
  const endListening = listenForCancels(redis, running.cancel);
  const activities = createActivities({
    recorder,
    tools,
    inlinePool,
    artifacts: retention.artifacts,
    artifactsOf: (tenant) => createToolArtifacts({ tenant, store: retention.artifacts, lookup: artifactList.get }),
    answers,
    live: createLivePublisher(redis),
    templates: createTemplateStore(pool),
    goalWaits,
    cascades: createCascadeStore(pool),
    catalogue: createToolCatalogue(toolStore, { logger }),
    model,
    ...(await createPlanning(config, pool)),
    running,
    compensations: createCompensationStore(pool),
    ...rules.ofActivities,
    logger,
    onScheduled,
    retention: retention.deps,
  });

  const close = async (): Promise<void> => {
    endListening();
    for (const part of [recorder, durations, notifications, inlinePool]) await part.close();
    for (const part of [retention, rules, viewCache, answers]) part.close();
    redis.disconnect();
    await pool.end();
  };
  const announceTools = (): Promise<void> => toolStore.put(tools.manifests());
  return { activities, pool, redis, announceTools, sweepLimits: rules.sweep, close };
}

const createPlanning = async ({ ASTRA_PLANNER_MODULES }: Config, pool: Pool) => ({
  planners: createPlannerRegistry([fallbackPlanner, ...(await loadPlannerModules(ASTRA_PLANNER_MODULES))]),
  proposals: createPlanProposals(pool),
});

async function createTools(
  config: Config,
  { egress, model }: { readonly egress: EgressPolicy; readonly model: Model | null },
): Promise<ToolRegistry> {
  const builtIn = builtInTools({
    egress,
    sandbox: createSandbox({
      bwrapPath: config.ASTRA_BWRAP_BIN,
      roots: config.ASTRA_SHELL_ROOTS,
      hiddenDirectories: config.ASTRA_SHELL_HIDDEN,
    }),
    shellNetworkAllowed: config.ASTRA_SHELL_NETWORK,
    model,
  });
  return createToolRegistry({ tools: [...builtIn, ...(await loadToolModules(config.ASTRA_TOOL_MODULES))] });
}
