import type { ToolBinding, TaskOutline } from './plan-outline.ts';

export interface RetrySchedule {
  readonly maxAttempts: number;
  readonly initialIntervalSeconds: number;
  readonly backoffCoefficient: number;
  readonly maxIntervalSeconds: number;
  readonly nonRetryableCodes: readonly string[];
}

/** Attempts may die with their worker, which is not the tool's fault: it gets this many more. */
export const lostAttempts = 10;

/** A pure tool fails the same way again, and an effect that must happen once is not tried twice unless its author says so. */
const defaultAttempts = (binding: ToolBinding | undefined): number =>
  binding?.execution === 'inline' || binding?.effect === 'once' ? 1 : 3;

/** The task's retry policy with its defaults. */
export function retryOf(task: Pick<TaskOutline, 'retry'>, binding: ToolBinding | undefined): RetrySchedule {
  const { retry = {} } = task;
  return {
    maxAttempts: retry.maxAttempts ?? defaultAttempts(binding),
    initialIntervalSeconds: retry.initialIntervalSeconds ?? 1,
    backoffCoefficient: retry.backoffCoefficient ?? 2,
    maxIntervalSeconds: retry.maxIntervalSeconds ?? 30,
    nonRetryableCodes: retry.nonRetryableCodes ?? [],
  };
}

/** Seconds from the end of `attempt` (1 is the first) to the next: exponential, without jitter, as the event says it. */
export function backoffSeconds(retry: RetrySchedule, attempt: number): number {
  return Math.min(retry.maxIntervalSeconds, retry.initialIntervalSeconds * retry.backoffCoefficient ** (attempt - 1));
}

/** A compensation may run more than once, whatever the effect of its tool: what happens twice has one idempotency key. */
export const compensationAttempts = (task: Pick<TaskOutline, 'retry'>, binding: ToolBinding | undefined): number =>
  Math.max(3, retryOf(task, binding).maxAttempts);

/** How long one attempt may take. */
export function timeoutSecondsOf(task: Pick<TaskOutline, 'timeoutSeconds'>, binding: ToolBinding | undefined): number {
  return task.timeoutSeconds ?? binding?.timeoutSeconds ?? 60;
}
