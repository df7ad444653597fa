import { flushCompileCache } from 'node:module';
import { availableParallelism } from 'node:os';
import { Client } from '@temporalio/client';
import { Command } from 'commander';
import { NativeConnection, Runtime } from '@temporalio/worker';
import { startAdminServer } from '../platform/admin-server.ts';
import { loadConfig } from '../platform/config.ts';
import { createLogger } from '../platform/logger.ts';
import { createMetrics } from '../platform/metrics.ts';
import { untilSignal } from '../platform/shutdown.ts';
import { checkPostgres } from '../stores/postgres/pool.ts';
import { checkRedis } from '../stores/redis.ts';
import { createWorkers } from './create-workers.ts';
import { createParts } from './parts.ts';
import { startRetention } from './start-retention.ts';
import { temporalLogger } from './temporal-logger.ts';

const command = new Command('astra-worker')
  .description(
    'Runs goals and their tasks. Everything else is configured by the environment: docs/reference/configuration.md.',
  )
  .option('--classes <names>', 'classes to run, comma-separated: kernel, tools, sandbox (ASTRA_WORKER_CLASSES)')
  .parse();
const { classes } = command.opts<{ classes?: string }>();

const config = loadConfig({ ...process.env, ...(classes === undefined ? {} : { ASTRA_WORKER_CLASSES: classes }) });
const logger = createLogger({ name: 'worker', level: config.ASTRA_LOG_LEVEL });
const metrics = createMetrics();
Runtime.install({ logger: temporalLogger(logger) });

const connecting = NativeConnection.connect({ address: config.TEMPORAL_ADDRESS });
const [connection, parts] = await Promise.all([
  connecting,
  createParts({
    config,
    logger,
    metrics,
    threads: availableParallelism(),
    temporal: async () => new Client({ connection: await connecting, namespace: config.TEMPORAL_NAMESPACE }),
  }),
]);
const workers = await createWorkers({ config, connection, activities: parts.activities, logger });
await parts.announceTools();
if (config.ASTRA_WORKER_CLASSES.has('kernel')) {
  parts.sweepLimits(new Client({ connection, namespace: config.TEMPORAL_NAMESPACE }));
}
const running = workers.map((worker) => worker.run());
const goingDown = new AbortController();
if (config.ASTRA_WORKER_CLASSES.has('kernel'))
  void startRetention(connection, { config, logger, signal: goingDown.signal });

const admin = await startAdminServer({
  port: config.ASTRA_ADMIN_PORT,
  metrics,
  checks: {
    worker: () => requireRunning(),
    postgres: () => checkPostgres(parts.pool),
    redis: () => checkRedis(parts.redis),
  },
  required: ['worker'],
});
logger.info({ classes: [...config.ASTRA_WORKER_CLASSES], adminPort: admin.port }, 'running');
// Otherwise written when the process ends in order, which one that is killed does not.
flushCompileCache();

const failed = Promise.all(running).then(
  () => new Error('the Temporal workers have stopped'),
  (error: unknown) => error,
);
const cause = await Promise.race([untilSignal(logger), failed]);
if (typeof cause !== 'string') {
  logger.fatal({ err: cause }, 'the worker cannot go on');
  process.exitCode = 1;
}

goingDown.abort();
// Drains: takes no new task, lets running ones end, and gives back what does not end in time.
for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
await Promise.allSettled(running);
await parts.close();
await admin.close();
await connection.close();

function requireRunning(): Promise<void> {
  const state = workers.find((worker) => worker.getState() !== 'RUNNING')?.getState();
  return state === undefined ? Promise.resolve() : Promise.reject(new Error(`a worker is ${state}`));
}
