import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { availableParallelism } from 'node:os';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { GoalId } from '../../../domain/schemas/common.ts';
import { loadConfig } from '../../../platform/config.ts';
import { createLogger } from '../../../platform/logger.ts';
import { createMetrics } from '../../../platform/metrics.ts';
import { createWorkers } from '../../../worker/create-workers.ts';
import { createParts } from '../../../worker/parts.ts';
import { goalWorkflowId, goalWorkflowType, taskQueues, type GoalWorkflowInput } from '../../../workflows/contract.ts';
import type { ByHandActivities } from './by-hand-workflows.ts';
import type { Bucket, RunAnswer, RunRequest } from './engine-protocol.ts';
import { planOf } from './work.ts';

/**
 * A worker, Astra's own or one written by hand (`node engine-process.ts astra|by-hand`), and the client that starts its
 * workflows over the same connection, so that both get eager starts. It runs what its parent asks for.
 */
const config = loadConfig(process.env);
const logger = createLogger({ name: 'bench', level: 'warn' });
Runtime.install({ logger: new DefaultLogger('WARN') });
const connection = await NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
const client = new Client({ connection });
const { workflow } = client;
const metrics = createMetrics();

const id = (): string => randomBytes(15).toString('hex');
type RunOne = (request: RunRequest) => Promise<unknown>;

const toolOf = { pure: 'bench.pure', effects: 'bench.effect', once: 'bench.once' } as const;

async function startAstra(): Promise<RunOne> {
  const temporal = () => Promise.resolve(client);
  const parts = await createParts({ config, logger, metrics, threads: availableParallelism(), temporal });
  await parts.announceTools();
  const workers = await createWorkers({ config, connection, activities: parts.activities, logger });
  for (const worker of workers) void worker.run();
  return ({ engine, work }) => {
    if (work === 'empty' || engine === 'activities' || engine === 'local')
      throw new RangeError(`Astra does not run ${work} as ${engine}`);
    const goalId = `gol_${id()}` as GoalId; // as the API makes them
    const input: GoalWorkflowInput = {
      tenant: 'bench',
      goalId,
      submission: planOf(work, toolOf[engine]),
      submittedAt: new Date().toISOString(),
      bodyHash: null,
      parentGoalId: null,
      depth: 0,
    };
    const options = { taskQueue: taskQueues.main, workflowId: goalWorkflowId(goalId), requestEagerStart: true };
    return workflow.execute(goalWorkflowType, { ...options, args: [input] });
  };
}

const byHandQueue = 'bench-by-hand';

/** The best settings known for one machine: eager dispatch for all, a cache that holds everything. */
async function startByHand(): Promise<RunOne> {
  const activities: ByHandActivities = { doNothing: () => Promise.resolve({}) };
  const worker = await Worker.create({
    connection,
    taskQueue: byHandQueue,
    workflowsPath: fileURLToPath(new URL('by-hand-workflows.ts', import.meta.url)),
    activities,
    maxConcurrentActivityTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 200,
    maxEagerActivityReservationsPerWorkflowTask: 100,
    maxCachedWorkflows: config.ASTRA_MAX_CACHED_WORKFLOWS,
  });
  void worker.run();
  return ({ engine, work }) =>
    workflow.execute('byHandWorkflow', {
      taskQueue: byHandQueue,
      workflowId: `by-hand/${id()}`,
      requestEagerStart: true,
      args: [work, engine],
    });
}

async function run(runOne: RunOne, request: RunRequest): Promise<RunAnswer> {
  const { goals, atOnce, perSecond } = request;
  const latenciesMs: number[] = [];
  let started = 0;
  const timed = async (): Promise<void> => {
    const begun = performance.now();
    await runOne(request);
    latenciesMs.push(performance.now() - begun);
  };
  const lane = async (): Promise<void> => {
    while (started < goals) {
      started += 1;
      await timed();
    }
  };
  const atRate = async (index: number): Promise<void> => {
    await sleep((index * 1_000) / (perSecond ?? 1));
    await timed();
  };
  metrics.resetMetrics();
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(
    perSecond === undefined
      ? Array.from({ length: atOnce }, lane)
      : Array.from({ length: goals }, (_, index) => atRate(index)),
  );
  const seconds = (performance.now() - begun) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, latenciesMs, cpuSeconds: (user + system) / 1e6, scheduling: await schedulingBuckets() };
}

async function schedulingBuckets(): Promise<Bucket[]> {
  const { values = [] } = (await metrics.getSingleMetric('astra_task_scheduling_seconds')?.get()) ?? {};
  return values.flatMap(({ labels, value }) =>
    'le' in labels ? [{ atMostSeconds: labels.le === '+Inf' ? Infinity : Number(labels.le), count: value }] : [],
  );
}

const runOne = await (process.argv[2] === 'astra' ? startAstra() : startByHand());
// Only its parent, which has the same type, writes to it.
process.on('message', (request) => void run(runOne, request as RunRequest).then((answer) => process.send?.(answer)));
process.send?.('ready');
process.once('disconnect', () => process.exit());
