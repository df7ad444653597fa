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
  SegmentActivities,
  ExecuteTaskArgs,
  ExecuteTaskResult,
  ToolActivities,
} from '../activities/contract.ts';
import { bindingOf, type TaskOutline, type ToolBinding } from '../domain/plan-outline.ts';
import { timeoutSecondsOf } from '../domain/retry.ts';
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
/**
 * An attempt whose worker, or whose server, only stalls counts as lost, too: that costs a second run, and of a tool that
 * must not run twice the task. Where either is dear it takes longer until an attempt counts as lost. A worker beats each
 * second; its longest stall under full load was 0.14 s (2 cores).
 */
const isDear = (task: TaskOutline, binding: ToolBinding | undefined): boolean =>
  binding?.effect === 'once' || timeoutSecondsOf(task, binding) > 60;

/** One task, or one item of a map, as an activity on the queue of its tool's class. */
export async function executeTool(
  { outline, repeated }: Pick<GoalRun, 'outline' | 'repeated'>,
  task: TaskOutline,
  ref: ExecuteTaskArgs,
): Promise<ExecuteTaskResult> {
  const binding = bindingOf(outline, task);
  const { executeTask } = proxyActivities<ToolActivities>({
    taskQueue: binding?.workerClass === 'sandbox' ? taskQueues.sandbox : taskQueues.main,
    startToCloseTimeout: (timeoutSecondsOf(task, binding) + graceSeconds) * 1_000,
    heartbeatTimeout: isDear(task, binding) ? '10 seconds' : '3 seconds',
    activityId: ref.taskId,
    ...(task.title !== undefined && { summary: task.title }),
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: {
      // For attempts that are lost with their worker: at once, and more and more slowly when the tool is what ends it.
      // One that fails, or is put off, says itself when the next begins; and which is the last, as Temporal would count
      // those that were put off.
      initialInterval: '100 milliseconds',
      backoffCoefficient: 4,
      maximumInterval: '30 seconds',
    },
  });
  return executeTask(repeated ? { ...ref, repeated } : ref);
}
