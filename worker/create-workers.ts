import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../activities/contract.ts';
import { createFailureInterceptor } from '../activities/failures.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { taskQueues } from '../workflows/contract.ts';
import { createTakeOver } from './take-over.ts';
import { loadWorkflowBundle } from './workflow-bundle.ts';

interface WorkerParts {
  readonly config: Config;
  readonly connection: NativeConnection;
  readonly activities: Activities;
  readonly logger: Logger;
}

const toolSlots = { maxConcurrentActivityTaskExecutions: 100 };
/** Each is a process tree of its own. */
const sandboxSlots = { maxConcurrentActivityTaskExecutions: 8 };

/** One Temporal worker for each task queue that the process's classes need. */
export async function createWorkers(parts: WorkerParts): Promise<Worker[]> {
  const { activities } = parts;
  const classes = parts.config.ASTRA_WORKER_CLASSES;
  const { executeTask, executeTasks, compensateTask, planGoalWithModel, runSegment, runMapSegment } = activities;
  const { sweep, erase } = activities;
  const tools = {
    executeTask,
    executeTasks,
    compensateTask,
    planGoalWithModel,
    runSegment,
    runMapSegment,
    sweep,
    erase,
  };
  const options: WorkerOptions[] = [];
  if (classes.has('kernel')) {
    const workflowBundle = await loadWorkflowBundle(parts.logger);
    // Without the tools it must not take their activities from the queue that both share.
    options.push({
      ...kernelOptions(parts),
      activities,
      workflowBundle,
      enableNonLocalActivities: classes.has('tools'),
    });
  } else if (classes.has('tools')) {
    options.push({ ...common(parts), taskQueue: taskQueues.main, activities: tools, ...toolSlots });
  }
  if (classes.has('sandbox')) {
    options.push({
      ...common(parts),
      taskQueue: taskQueues.sandbox,
      activities: { executeTask, compensateTask },
      ...sandboxSlots,
    });
  }
  return Promise.all(options.map((each) => Worker.create(each)));
}

function common({ config, connection, logger }: WorkerParts) {
  return {
    connection,
    namespace: config.TEMPORAL_NAMESPACE,
    shutdownGraceTime: '8 seconds',
    // A cancel reaches an activity with the answer to its heartbeat.
    maxHeartbeatThrottleInterval: '1 second',
    defaultHeartbeatThrottleInterval: '1 second',
    interceptors: { activity: [() => ({ inbound: createFailureInterceptor(logger) }), createTakeOver()] },
  } satisfies Partial<WorkerOptions>;
}

function kernelOptions(parts: WorkerParts) {
  return {
    ...common(parts),
    taskQueue: taskQueues.main,
    maxCachedWorkflows: parts.config.ASTRA_MAX_CACHED_WORKFLOWS,
    ...toolSlots,
    maxConcurrentLocalActivityExecutions: 200,
    // How long a goal waits for its dead worker before another one takes it over.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    maxEagerActivityReservationsPerWorkflowTask: toolSlots.maxConcurrentActivityTaskExecutions,
  } satisfies Partial<WorkerOptions>;
}
