import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { inject } from 'vitest';
import type { FindDeliveries } from '../../activities/projection/fold.ts';
import { createRecorder, type RecordedPlan, type Recorder } from '../../activities/projection/recorder.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PlanOutline, TaskOutline } from '../../domain/plan-outline.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { EventData, EventDraft, EventType } from '../../domain/schemas/event.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import { loadConfig } from '../../platform/config.ts';
import { createViewCache, type ViewCache } from '../../stores/cache/view-cache.ts';
import { createGoalReader, type GoalReader } from '../../stores/goal-reader.ts';
import { migrate } from '../../stores/postgres/migrate.ts';
import { createPool } from '../../stores/postgres/pool.ts';
import { createRedis } from '../../stores/redis.ts';
import { until } from '../support/until.ts';

/** What a worker process has of the record, and an API process: each on its own connections. */
export interface Process {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly viewCache: ViewCache;
  readonly recorder: Recorder;
  readonly reader: GoalReader;
  /** Reads since the process began. */
  readonly queries: { redis: number; postgres: number };
  stop(): Promise<void>;
}

export interface RecordBench {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly tenant: string;
  start(options?: {
    readonly redisUrl?: string;
    readonly databaseUrl?: string;
    readonly awaitCache?: false;
    readonly findDeliveries?: FindDeliveries;
  }): Promise<Process>;
  newGoal(): GoalRef;
  stop(): Promise<void>;
}

const noLog = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A database and a tenant of the test file's own. */
export async function createRecordBench(): Promise<RecordBench> {
  const { env } = inject('stack');
  const config = loadConfig(env);
  const admin = createPool(config, { maxConnections: 1 });
  const database = `record_${randomBytes(6).toString('hex')}`;
  await admin.query(`CREATE DATABASE ${database}`);
  const databaseUrl = Object.assign(new URL(config.DATABASE_URL.reveal()), { pathname: `/${database}` }).href;
  await migrate(databaseUrl);
  const redisUrl = config.REDIS_URL.reveal();
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const processes: Process[] = [];

  return {
    databaseUrl,
    redisUrl,
    tenant,
    async start(options = {}) {
      const urls = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl };
      if (options.redisUrl) urls.REDIS_URL = options.redisUrl;
      if (options.databaseUrl) urls.DATABASE_URL = options.databaseUrl;
      const process = startProcess(loadConfig(urls), options.findDeliveries);
      processes.push(process);
      if (options.awaitCache !== false) await until(() => process.viewCache.trusted, 'the view cache is trusted');
      return process;
    },
    newGoal: () => ({ tenant, goalId: `gol_${randomBytes(15).toString('hex')}` as GoalId }),
    async stop() {
      await Promise.all(processes.map((process) => process.stop()));
      await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await admin.end();
    },
  };
}

function startProcess(config: ReturnType<typeof loadConfig>, findDeliveries?: FindDeliveries): Process {
  const pool = createPool(config);
  const redis = createRedis(config);
  const viewCache = createViewCache(redis);
  const queries = { redis: 0, postgres: 0 };
  const recorder = createRecorder({ pool, viewCache, logger: noLog, ...(findDeliveries && { findDeliveries }) });
  const reader = createGoalReader({ pool, viewCache, onQuery: (source) => (queries[source] += 1) });
  let stopped: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    await recorder.close();
    viewCache.close();
    redis.disconnect();
    await pool.end();
  };
  return { pool, redis, viewCache, recorder, reader, queries, stop: () => (stopped ??= stopOnce()) };
}

export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

export function draft<T extends EventType>(
  type: T,
  data: EventData[T],
  about: { readonly taskId?: string; readonly attempt?: number; readonly second?: number } = {},
): EventDraft {
  const { taskId = null, attempt = 1, second = 10 } = about;
  return { type, taskId, attempt, at: at(second), data } as EventDraft;
}

export const headOf = ({ tenant, goalId }: GoalRef, head: Partial<GoalHead> = {}): GoalHead => ({
  id: goalId,
  tenant,
  objective: 'try',
  agentId: null,
  priority: 3,
  labels: { team: 'a' },
  input: { b: 1, a: 2 },
  template: null,
  parentGoalId: null,
  forkedFrom: null,
  createdAt: at(0),
  ...head,
});

export const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'text.render', after });

export function planOf(tasks: readonly TaskOutline[]): RecordedPlan {
  const binding = { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10 } as const;
  const outline: PlanOutline = { revision: 1, source: 'explicit', tasks, tools: { 'text.render': binding } };
  const plan = { tasks: tasks.map(({ id }) => ({ id, kind: 'tool' as const, tool: 'text.render' })) };
  return { plan, outline, params: { depth: 2 } };
}

export const completed = (taskId: string, output: EventData['task.completed'] | string = taskId): EventDraft =>
  draft('task.completed', typeof output === 'string' ? { output, startedAt: at(9) } : output, { taskId });

/** Submits and plans a goal, as planGoal does. */
export async function begin(
  recorder: Recorder,
  goal: GoalRef,
  tasks: readonly TaskOutline[],
  head: Partial<GoalHead> = {},
): Promise<void> {
  const plan = planOf(tasks);
  const drafts = [
    draft('goal.submitted', { head: headOf(goal, head) }, { second: 0 }),
    draft('plan.proposed', { outline: plan.outline }, { second: 1 }),
  ];
  await recorder.record(goal, drafts, { plan, submission: { documents: [], bodyHash: 'abc' } });
}
