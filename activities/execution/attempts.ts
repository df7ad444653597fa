import { activityInfo, CancelledFailure, Context } from '@temporalio/activity';
import { AstraError, effectInDoubt, toErrorInfo } from '../../domain/errors.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import { backoffSeconds, retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { Logger } from '../../platform/logger.ts';
import type {
  ExecutedTask,
  ExecuteTaskArgs,
  ExecuteTaskResult,
  HeldAttempt,
  RetryDue,
  TaskOutcome,
  TaskRef,
} from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { completionDrafts } from './complete-goal.ts';
import { givenUp, recordEnd } from './record-end.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { prepareCall } from './tool-call.ts';
import type { ToolRunner } from './tool-runner.ts';
import type { Values } from './values.ts';
import { whileAway } from './while-away.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly runner: ToolRunner;
  readonly logger: Pick<Logger, 'error'>;
  readonly onScheduled: (seconds: number) => void;
}

interface Attempt {
  readonly ref: TaskRef;
  readonly last: boolean;
  readonly planned: PlannedTask;
  readonly number: number;
  /** What its number is to the retry policy. */
  readonly counted: number;
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  readonly timeoutSeconds: number;
}

/** Makes one attempt at a tool call. */
export interface Attempts {
  /** @param args.last is for the task's own activity alone */
  make(args: ExecuteTaskArgs): Promise<ExecuteTaskResult>;
}

/**
 * Attempts at tool calls, within an activity.
 *
 * The end is recorded before it is told, so a worker that dies after the record leaves a finished task, and one that
 * dies before leaves an attempt that the server starts again. While a store is away the attempt waits for it, before and
 * after the call: what a tool has done is not undone, or done again, because it cannot be recorded at once.
 */
export function createAttempts(deps: Deps): Attempts {
  const { recorder } = deps;
  return {
    async make(args) {
      const { cancellationSignal } = Context.current();
      const opened = await whileAway(() => openAttempt(deps, args), cancellationSignal);
      if ('status' in opened) return opened;
      const queuedAt = new Date(activityInfo().scheduledTimestampMs).toISOString();
      const about = { taskId: args.taskId, attempt: opened.number, at: opened.startedAt };
      recorder.note(args.goal, draft('task.started', { queuedAt }, about));
      try {
        return await run(deps, opened);
      } catch (error) {
        return await whileAway(() => settleFailure(deps, opened, error), cancellationSignal);
      }
    },
  };
}

/** The attempt, or the outcome that an earlier one recorded. */
async function openAttempt({ recorder, scopes }: Deps, args: ExecuteTaskArgs): Promise<Attempt | TaskOutcome> {
  const { repeated = false, last = false, attempted = 0, held = 0, goal, taskId } = args;
  const ref = { goal, taskId };
  const firstAttempt = activityInfo().attempt === 1 && !repeated;
  const recorded = await recorder.outcome(ref.goal, ref.taskId, { firstAttempt });
  if (recorded) return recorded;
  const planned = await scopes.find(ref.goal, ref.taskId);
  const binding = bindingOf((await recorder.plan(ref.goal)).outline, planned.outline);
  const number = attempted + activityInfo().attempt;
  if (binding?.effect === 'once' && number > 1 && !(await hasFailedCleanly(recorder, ref, number - 1))) {
    const error = effectInDoubt(planned.outline.tool ?? ref.taskId);
    return recordEnd(recorder, ref, draft('task.failed', { error }, { taskId: ref.taskId, attempt: number }));
  }
  const retry = retryOf(planned.outline, binding);
  const timeoutSeconds = timeoutSecondsOf(planned.outline, binding);
  return { ref, last, planned, number, counted: number - held, startedAt: new Date(), retry, timeoutSeconds };
}

/** Did this attempt end by the tool's own failure? Of one that was lost nobody knows what it did. */
async function hasFailedCleanly(recorder: Recorder, { goal, taskId }: TaskRef, attempt: number): Promise<boolean> {
  const task = await recorder.task(goal, taskId);
  // Between two attempts it may have been parked.
  return (task?.status === 'retrying' || task?.status === 'queued') && task.attempt === attempt;
}

async function run(deps: Deps, attempt: Attempt): Promise<ExecutedTask> {
  const { recorder, scopes, values, runner } = deps;
  const { ref, planned, number, startedAt, timeoutSeconds } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  const call = await whileAway(() => prepareCall(scopes, ref.goal, planned), cancellationSignal);
  if (!call) {
    const skipped = draft('task.skipped', { reason: 'condition' }, about);
    return whileAway(() => recordEnd(recorder, ref, skipped), cancellationSignal);
  }
  if (number === 1) deps.onScheduled(secondsSinceReady(recorder, ref));
  const result = await runner.run(call, { ref, attempt: number, timeoutSeconds, cancelled: cancellationSignal });
  const output = await whileAway(() => values.toOutput(ref.goal.tenant, result.value), cancellationSignal);
  const created = result.artifacts.map((artifact) => draft('artifact.created', { artifact }, about));
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  const usage = result.usage ? { usage: { ...result.usage, seconds } } : {};
  const completed = draft('task.completed', { ...output, ...usage, startedAt: startedAt.toISOString() }, about);
  return whileAway(() => recordCompleted(deps, attempt, output, [...created, completed]), cancellationSignal);
}

function secondsSinceReady(recorder: Recorder, { goal, taskId }: TaskRef): number {
  const readyAt = recorder.readyAt(goal, taskId);
  const since = readyAt === null ? activityInfo().currentAttemptScheduledTimestampMs : Date.parse(readyAt);
  return Math.max(0, Date.now() - since) / 1_000;
}

async function recordCompleted(
  deps: Deps,
  { ref, last }: Attempt,
  output: Output,
  drafts: readonly EventDraft[],
): Promise<ExecutedTask> {
  const { recorder } = deps;
  if (!last) return recordEnd(recorder, ref, ...drafts);
  const { plan } = await recorder.plan(ref.goal);
  const end = await completionDrafts(deps, ref.goal, plan, { outputs: new Map([[ref.taskId, output]]) });
  // The workflow will ask for the goal's completion, and be told what is wrong with its output.
  if ('error' in end) return recordEnd(recorder, ref, ...drafts);
  const { outcomes, status } = await recorder.record(ref.goal, [...drafts, ...end]);
  const outcome = outcomes[ref.taskId] ?? givenUp;
  return status === 'completed' ? { ...outcome, goalCompleted: true } : outcome;
}

/** Records the end, or that another attempt follows. @throws what has ended the attempt without ending the task */
async function settleFailure(
  { recorder, logger }: Deps,
  attempt: Attempt,
  error: unknown,
): Promise<TaskOutcome | RetryDue | HeldAttempt> {
  const { ref, number, counted, retry, startedAt } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  if (cancellationSignal.aborted) {
    const reason: unknown = cancellationSignal.reason;
    // The worker shuts down, or the server has given the attempt up: the task itself goes on elsewhere.
    if (!isCancelRequest(reason)) throw reason;
    // A pause stops attempts by the same request: what is meant is the workflow's to say, unless it is recorded.
    if (!(await isCancelled(recorder, ref))) return { status: 'held', attempted: number };
    return recordEnd(recorder, ref, draft('task.cancelled', { reason: null }, about));
  }
  const info = toErrorInfo(error);
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...ref.goal, taskId: ref.taskId }, 'a task failed unexpectedly');
  if (mayRetry(info, retry, counted)) {
    const afterSeconds = Math.max(backoffSeconds(retry, counted), retryAfter(error));
    const nextAttemptAt = new Date(Date.now() + afterSeconds * 1_000).toISOString();
    await recorder.record(ref.goal, [draft('task.retrying', { error: info, nextAttemptAt }, about)]);
    return { status: 'retrying', error: info, afterSeconds, attempted: number };
  }
  return recordEnd(recorder, ref, draft('task.failed', { error: info, startedAt: startedAt.toISOString() }, about));
}

/** Who was asked may have said when to ask again. */
const retryAfter = (error: unknown): number => (error instanceof AstraError ? (error.retryAfterSeconds ?? 0) : 0);

const isCancelRequest = (reason: unknown): boolean =>
  reason instanceof CancelledFailure && reason.message === 'CANCELLED';

async function isCancelled(recorder: Recorder, { goal }: TaskRef): Promise<boolean> {
  const { status } = await recorder.state(goal);
  return status === 'cancelling' || isFinalGoal(status);
}

function mayRetry(error: ErrorInfo, retry: RetrySchedule, attempt: number): boolean {
  return error.retryable && attempt < retry.maxAttempts && !retry.nonRetryableCodes.includes(error.code);
}
