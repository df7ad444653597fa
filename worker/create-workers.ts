import { fileURLToPath } from 'node:url';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Worker,
  type NativeConnection,
  type WorkerOptions,
  type WorkflowBundle,
} from '@temporalio/worker';
import type { Activities } from '../activities/contract.ts';
import { createFailureInterceptor } from '../activities/failures.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { taskQueues } from '../workflows/contract.ts';

interface WorkerParts {
  readonly config: Config;
  readonly connection: NativeConnection;
  readonly activities: Activities;
  readonly logger: Logger;
}

/** Sandboxed commands at once in one process: each is a process tree of its own. */
const sandboxSlots = 8;

/** One Temporal worker for each task queue that the process's classes need. */
export async function createWorkers(parts: WorkerParts): Promise<Worker[]> {
  const { config, activities } = parts;
  const classes = config.ASTRA_WORKER_CLASSES;
  const { executeTask } = activities;
  const workers: Worker[] = [];
  if (classes.has('kernel')) {
    const served = classes.has('tools') ? activities : { ...activities, executeTask: undefined };
    workers.push(
      await Worker.create({ ...kernelOptions(parts), activities: served, workflowBundle: await bundle(parts.logger) }),
    );
  } else if (classes.has('tools')) {
    workers.push(await Worker.create({ ...common(parts), taskQueue: taskQueues.main, activities: { executeTask } }));
  }
  if (classes.has('sandbox')) {
    workers.push(
      await Worker.create({
        ...common(parts),
        taskQueue: taskQueues.sandbox,
        activities: { executeTask },
        maxConcurrentActivityTaskExecutions: sandboxSlots,
      }),
    );
  }
  return workers;
}

function common({ config, connection, logger }: WorkerParts) {
  return {
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    shutdownGraceTime: '8 seconds',
    // A cancel reaches an activity with the answer to its heartbeat.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    interceptors: { activity: [() => ({ inbound: createFailureInterceptor(logger) })] },
  } satisfies Partial<WorkerOptions>;
}

function kernelOptions(parts: WorkerParts) {
  return {
    ...common(parts),
    taskQueue: taskQueues.main,
    maxCachedWorkflows: parts.config.ASTRA_MAX_CACHED_WORKFLOWS,
    maxConcurrentActivityTaskExecutions: 100,
    maxConcurrentLocalActivityExecutions: 200,
    // How long a goal waits for its dead worker before another one takes it over.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    maxEagerActivityReservationsPerWorkflowTask: 50,
  } satisfies Partial<WorkerOptions>;
}

async function bundle(logger: Logger): Promise<WorkflowBundle> {
  const begin = performance.now();
  const built = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
  logger.info(
    { bytes: built.code.length, milliseconds: Math.round(performance.now() - begin) },
    'bundled the workflows',
  );
  return built;
}
