import type { Client } from '@temporalio/client';
import type { Pool } from 'pg';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import type { Activities } from '../activities/contract.ts';
import { createActivities } from '../activities/index.ts';
import { createModel, type Model } from '../activities/llm/model.ts';
import { createRecorder } from '../activities/projection/recorder.ts';
import { createSandbox } from '../activities/sandbox/create-sandbox.ts';
import { builtInTools } from '../activities/tools/built-in-tools.ts';
import { createEgressPolicy } from '../activities/tools/egress-policy.ts';
import { createInlinePool } from '../activities/tools/inline-pool.ts';
import { loadToolModules } from '../activities/tools/load-tool-modules.ts';
import { createToolRegistry, type ToolRegistry } from '../activities/tools/registry.ts';
import { createToolArtifacts } from '../activities/tools/tool-artifacts.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { createArtifactStore } from '../stores/artifacts/artifact-store.ts';
import { createAnswerCache } from '../stores/cache/answer-cache.ts';
import { createLivePublisher } from '../stores/cache/live-publisher.ts';
import { createViewCache } from '../stores/cache/view-cache.ts';
import { createArtifactList } from '../stores/postgres/artifacts.ts';
import { createPool } from '../stores/postgres/pool.ts';
import { createTemplateStore } from '../stores/postgres/templates.ts';
import { createToolStore } from '../stores/postgres/tools.ts';
import { createRedis } from '../stores/redis.ts';
import { createToolCatalogue } from '../stores/tool-catalogue.ts';
import { createLimitParts } from './limit-parts.ts';
import { createWorkerMetrics } from './worker-metrics.ts';

interface PartsOptions {
  readonly config: Config;
  readonly logger: Logger;
  readonly metrics: Registry;
  /** For inline tools. */
  readonly threads: number;
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
export async function createParts({ config, logger, metrics, threads }: PartsOptions): Promise<WorkerParts> {
  const model = createModel(config);
  const tools = await loadTools(config, model);
  const inlinePool = createInlinePool({ threads, toolModules: config.ASTRA_TOOL_MODULES });

  const pool = createPool(config, { logger });
  const redis = createRedis(config, { logger });
  const viewCache = createViewCache(redis, { logger });
  const { committed: onCommitted, scheduled: onScheduled } = createWorkerMetrics(metrics);
  const recorder = createRecorder({
    pool,
    viewCache,
    logger,
    onCommitted,
    memoryBytes: config.ASTRA_RECORD_MEMORY_MIB * 1024 * 1024,
  });
  const answers = createAnswerCache({ memcachedServers: config.MEMCACHED_SERVERS, redis, logger });
  const artifacts = createArtifactStore(config);
  const toolStore = createToolStore(pool);
  const lookup = createArtifactList(pool).get;
  const limits = createLimitParts(pool, { logger });
  await limits.loaded;
  const activities = createActivities({
    recorder,
    tools,
    inlinePool,
    artifacts,
    artifactsOf: (tenant) => createToolArtifacts({ tenant, store: artifacts, lookup }),
    answers,
    live: createLivePublisher(redis),
    templates: createTemplateStore(pool),
    catalogue: createToolCatalogue(toolStore, { logger }),
    model,
    slots: limits.slots,
    callSlots: limits.callSlots,
    logger,
    onScheduled,
  });

  return {
    activities,
    pool,
    redis,
    announceTools: () => toolStore.put(tools.manifests()),
    sweepLimits: limits.sweep,
    async close() {
      limits.close();
      await recorder.close();
      await inlinePool.close();
      viewCache.close();
      answers.close();
      artifacts.close();
      redis.disconnect();
      await pool.end();
    },
  };
}

async function loadTools(config: Config, model: Model | null): Promise<ToolRegistry> {
  const builtIn = builtInTools({
    egress: createEgressPolicy(config.ASTRA_EGRESS_ALLOW),
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
