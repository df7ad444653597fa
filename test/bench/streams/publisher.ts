import { randomBytes } from 'node:crypto';
import { createRecorder } from '../../../activities/projection/recorder.ts';
import type { GoalRef } from '../../../domain/goal-ref.ts';
import { goalIdSchema } from '../../../domain/schemas/common.ts';
import type { EventDraft } from '../../../domain/schemas/event.ts';
import { loadConfig } from '../../../platform/config.ts';
import { createViewCache } from '../../../stores/cache/view-cache.ts';
import { createPool } from '../../../stores/postgres/pool.ts';
import { createRedis } from '../../../stores/redis.ts';
import { until } from '../../support/until.ts';

/** Makes goals and their events known as a worker does: recorded in Postgres, shown in Redis, watchers woken. */
export interface Publisher {
  newGoals(count: number): Promise<readonly GoalRef[]>;
  /** One more event of each of the goals; up to `eventsPerGoal`. */
  publish(goals: readonly GoalRef[]): Promise<void>;
  /** The same news for the peer. */
  publishBare(): Promise<void>;
  close(): Promise<void>;
}

export const eventsPerGoal = 100;
const output = { text: 'x'.repeat(200) };
const tasks = Array.from({ length: eventsPerGoal }, (_, index) => ({
  id: `t${index}`,
  kind: 'tool' as const,
  tool: 'text.render',
}));
const binding = { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10 } as const;
const outline = {
  revision: 1,
  source: 'explicit',
  tasks: tasks.map((task) => ({ ...task, after: [] })),
  tools: { 'text.render': binding },
} as const;

const now = (): string => new Date().toISOString();
const draft = (type: string, data: object, taskId: string | null = null): EventDraft =>
  ({ type, taskId, attempt: 1, at: now(), data }) as EventDraft; // as written below

function submitted({ tenant, goalId }: GoalRef): readonly EventDraft[] {
  const nothing = { agentId: null, labels: {}, input: {}, template: null, parentGoalId: null, forkedFrom: null };
  const head = { id: goalId, tenant, objective: 'bench', priority: 3, ...nothing, createdAt: now() };
  return [draft('goal.submitted', { head }), draft('plan.proposed', { outline })];
}

export async function createPublisher(env: Readonly<Record<string, string>>): Promise<Publisher> {
  const config = loadConfig(env);
  const pool = createPool(config);
  const redis = createRedis(config);
  const viewCache = createViewCache(redis);
  await until(() => viewCache.trusted, 'Redis answers');
  const recorder = createRecorder({ pool, viewCache, logger: console });
  const published = new Map<GoalRef, number>();

  return {
    async newGoals(count) {
      const goals = Array.from({ length: count }, (): GoalRef => {
        return { tenant: 'default', goalId: goalIdSchema.parse(`gol_${randomBytes(15).toString('hex')}`) };
      });
      const plan = { plan: { tasks }, outline, params: {} };
      await Promise.all(goals.map((goal) => recorder.record(goal, submitted(goal), { plan })));
      return goals;
    },
    async publish(goals) {
      await Promise.all(
        goals.map((goal) => {
          const index = published.get(goal) ?? 0;
          published.set(goal, index + 1);
          return recorder.record(goal, [draft('task.completed', { output, startedAt: now() }, `t${index}`)]);
        }),
      );
    },
    async publishBare() {
      const event = { goalId: 'gol_0000000000000000000000000', seq: 1, ...draft('task.completed', { output }, 't0') };
      await redis.publish('bench:fan-out', `id: 1\nevent: task.completed\ndata: ${JSON.stringify(event)}\n\n`);
    },
    async close() {
      await recorder.close();
      viewCache.close();
      redis.disconnect();
      await pool.end();
    },
  };
}
