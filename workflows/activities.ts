import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  type ActivityInterfaceFor,
  type LocalActivityInterfaceFor,
} from '@temporalio/workflow';
import type {
  KernelActivities,
  PlannerActivities,
  CompensationCall,
  SegmentActivities,
  ExecuteTaskAnswer,
  ExecuteTaskArgs,
  ToolActivities,
} from '../activities/contract.ts';
import { bindingOf, type TaskOutline, type ToolBinding } from '../domain/plan-outline.ts';
import { retryOf, timeoutSecondsOf } from '../domain/retry.ts';
import { taskQueues } from './contract.ts';
import type { GoalRun } from './goal-run.ts';

/** While Postgres is away a record is tried again until it succeeds: a goal waits, it does not fail. */
export const kernel: LocalActivityInterfaceFor<KernelActivities> = proxyLocalActivities<KernelActivities>({
  startToCloseTimeout: '60 seconds',
  localRetryThreshold: '5 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/**
 * Segments that follow one which used up its time. Local activities in a row are one workflow task, and while it lasts,
 * for up to 80 % of `workflowTaskTimeout`, the server keeps back what comes in: of a long chain of pure tasks a cancel took
 * 7.5 s when that was 10 s, so it takes 0.1 s (2 cores). It costs each segment some 10 ms of its half second.
 */
export const segments = proxyActivities<SegmentActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '100 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

export const planner: ActivityInterfaceFor<PlannerActivities> = proxyActivities<PlannerActivities>({
  startToCloseTimeout: '10 minutes',
  heartbeatTimeout: '15 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 5 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/**
 * A tool is given this much more than its own time-out, which the activity keeps itself, to wait for stores that are
 * away and to record its end. A dead worker is noticed by its heartbeat, long before.
 */
const graceSeconds = 600;
/** Attempts may die with their worker, which is not the tool's fault: it gets this many more. */
const lostAttempts = 10;

/**
 * For attempts that are lost with their worker: at once, and more and more slowly when the tool is what ends it. One that
 * fails says itself when the next begins.
 */
const lostRetry = {
  initialInterval: '100 milliseconds',
  backoffCoefficient: 4,
  maximumInterval: '30 seconds',
} as const;

/**
 * An attempt whose worker, or whose server, only stalls counts as lost, too: that costs a second run, and of a tool that
 * must not run twice the task. Where either is dear it takes longer until an attempt counts as lost. A worker beats each
 * second; its longest stall under full load was 0.14 s (2 cores).
 */
const isDear = (task: TaskOutline, binding: ToolBinding | undefined): boolean =>
  binding?.effect === 'once' || timeoutSecondsOf(task, binding) > 60;

/** What tools are executed with. */
export type ToolRun = Pick<GoalRun, 'goal' | 'outline' | 'repeated' | 'parking'>;

/** A task, or an item of a map, to be executed. */
export interface ToolCallRef {
  readonly task: TaskOutline;
  /** `each.3` for an item. */
  readonly taskId: string;
}

/** One task, or one item of a map, as an activity on the queue of its tool's class. */
export async function executeTool(
  { goal, outline, repeated }: ToolRun,
  { task, taskId }: ToolCallRef,
  options: Omit<ExecuteTaskArgs, 'goal' | 'taskId' | 'repeated'> = {},
): Promise<ExecuteTaskAnswer> {
  const binding = bindingOf(outline, task);
  const retry = retryOf(task, binding);
  const { attempted = 0, forgiven = 0 } = options;
  const maxAttempts = retry.maxAttempts - (attempted - forgiven);
  const { executeTask } = proxyActivities<ToolActivities>({
    taskQueue: binding?.workerClass === 'sandbox' ? taskQueues.sandbox : taskQueues.main,
    startToCloseTimeout: (timeoutSecondsOf(task, binding) + graceSeconds) * 1_000,
    heartbeatTimeout: isDear(task, binding) ? '10 seconds' : '3 seconds',
    activityId: taskId,
    ...(task.title !== undefined && { summary: task.title }),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // One attempt at what must happen once, unless its author says otherwise.
    retry: { ...lostRetry, maximumAttempts: binding?.effect === 'once' ? maxAttempts : maxAttempts + lostAttempts },
  });
  return executeTask({ goal, taskId, ...options, ...(repeated && { repeated }) });
}

/** Takes back what one task or item has done. */
export async function compensateTool(call: CompensationCall): Promise<void> {
  const { goal, taskId, workerClass, timeoutSeconds, maxAttempts } = call;
  const { compensateTask } = proxyActivities<ToolActivities>({
    taskQueue: workerClass === 'sandbox' ? taskQueues.sandbox : taskQueues.main,
    startToCloseTimeout: (timeoutSeconds + graceSeconds) * 1_000,
    heartbeatTimeout: timeoutSeconds > 60 ? '10 seconds' : '3 seconds',
    summary: `${goal.goalId}/${taskId}`,
    retry: { ...lostRetry, maximumAttempts: maxAttempts + lostAttempts },
  });
  return compensateTask(call);
}

/** Several quick calls as one activity. */
export async function executeTools(
  { goal, outline, repeated }: ToolRun,
  calls: readonly ToolCallRef[],
): Promise<Awaited<ReturnType<ToolActivities['executeTasks']>>> {
  const longest = Math.max(...calls.map(({ task }) => timeoutSecondsOf(task, bindingOf(outline, task))));
  const taskIds = calls.map(({ taskId }) => taskId);
  const { executeTasks } = proxyActivities<ToolActivities>({
    startToCloseTimeout: (longest + graceSeconds) * 1_000,
    heartbeatTimeout: calls.some(({ task }) => isDear(task, bindingOf(outline, task))) ? '10 seconds' : '3 seconds',
    activityId: `${taskIds[0]} and ${taskIds.length - 1} more`,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...lostRetry, maximumAttempts: 1 + lostAttempts },
  });
  return executeTasks({ goal, taskIds, ...(repeated && { repeated }) });
}
