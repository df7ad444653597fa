/**
 * How many events a second one recorder makes durable and shows: goals of a ten-task diamond, ten final events each,
 * recorded as a segment does (all at once) and task by task. What it does not measure: evaluation, tools, Temporal.
 *
 *   DATABASE_URL=… REDIS_URL=… node test/bench/recorder.ts [goals] [concurrency]
 *
 * DATABASE_URL must name a database that may be filled; it is migrated first.
 */
import { randomBytes } from 'node:crypto';
import { createRecorder } from '../../activities/projection/recorder.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import { loadConfig } from '../../platform/config.ts';
import { createViewCache } from '../../stores/cache/view-cache.ts';
import { migrate } from '../../stores/postgres/migrate.ts';
import { createPool } from '../../stores/postgres/pool.ts';
import { createRedis } from '../../stores/redis.ts';
import { until } from '../support/until.ts';

const [goalCount = 2_000, concurrency = 16] = process.argv.slice(2).map(Number);
const config = loadConfig(process.env);
await migrate(config.DATABASE_URL.reveal());
const pool = createPool(config);
const redis = createRedis(config);
const viewCache = createViewCache(redis);
await until(() => viewCache.trusted, 'Redis answers');
let commits = 0;
const recorder = createRecorder({ pool, viewCache, logger: console, onCommitted: () => (commits += 1) });

const ids = ['start', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'end'];
const tasks = ids.map((id) => {
  const after = id === 'start' ? [] : id === 'end' ? ids.slice(1, -1) : ['start'];
  return { id, kind: 'tool' as const, tool: 'text.render', after };
});
const binding = { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10 } as const;
const outline = { revision: 1, source: 'explicit', tasks, tools: { 'text.render': binding } } as const;
const plan = {
  plan: { tasks: tasks.map(({ id, after }) => ({ id, after, kind: 'tool' as const, tool: 'text.render' })) },
  outline,
  params: {},
};
const now = (): string => new Date().toISOString();
const draft = (type: string, data: object, taskId: string | null = null): EventDraft =>
  ({ type, taskId, attempt: 1, at: now(), data }) as EventDraft;
const completed = (id: string): EventDraft =>
  draft('task.completed', { output: { text: `the output of ${id}`, n: 1 }, startedAt: now() }, id);

const latencies: number[] = [];
async function timed(work: Promise<unknown>): Promise<void> {
  const begun = performance.now();
  await work;
  latencies.push(performance.now() - begun);
}

async function runGoal(mode: 'segment' | 'tasks'): Promise<void> {
  const goal = { tenant: 'bench', goalId: `gol_${randomBytes(15).toString('hex')}` as GoalId };
  const head = {
    id: goal.goalId,
    tenant: goal.tenant,
    objective: 'bench',
    agentId: null,
    priority: 3,
    labels: { team: 'bench' },
    input: {},
    template: null,
    parentGoalId: null,
    forkedFrom: null,
    createdAt: now(),
  };
  await timed(
    recorder.record(goal, [draft('goal.submitted', { head }), draft('plan.proposed', { outline })], { plan }),
  );
  if (mode === 'segment') await timed(recorder.record(goal, ids.map(completed)));
  else {
    await timed(recorder.record(goal, [completed('start')]));
    await Promise.all(ids.slice(1, -1).map((id) => timed(recorder.record(goal, [completed(id)]))));
    await timed(recorder.record(goal, [completed('end')]));
  }
  await timed(recorder.record(goal, [draft('goal.completed', { output: { ok: true } })]));
}

for (const mode of ['segment', 'tasks'] as const) {
  const goals = { count: 0 };
  [commits, latencies.length] = [0, 0];
  const work = async (): Promise<void> => {
    while (goals.count < goalCount) {
      goals.count += 1;
      await runGoal(mode);
    }
  };
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(Array.from({ length: concurrency }, work));
  const seconds = (performance.now() - begun) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  latencies.sort((a, b) => a - b);
  const quantile = (q: number): string => (latencies[Math.floor(latencies.length * q)] ?? 0).toFixed(1);
  console.log(
    `${mode}: ${Math.round((goalCount * 13) / seconds)} events/s, ${Math.round(goalCount / seconds)} goals/s ` +
      `(${goalCount} goals, ${concurrency} at once; ${commits} goal commits; record p50 ${quantile(0.5)} ms, ` +
      `p99 ${quantile(0.99)} ms; own CPU ${Math.round((cpu.user + cpu.system) / 1e4 / seconds)} %)`,
  );
}
await recorder.close();
viewCache.close();
redis.disconnect();
await pool.end();
