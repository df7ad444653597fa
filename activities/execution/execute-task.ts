import { activityInfo, ApplicationFailure, CancelledFailure, Context, heartbeat } from '@temporalio/activity';
import { AstraError, effectInDoubt, toErrorInfo } from '../../domain/errors.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { backoffSeconds, retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventData, EventDraft, Output } from '../../domain/schemas/event.ts';
import type { Logger } from '../../platform/logger.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import { freeAccount, openAccount, type Account } from '../budgets/account.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import { parkForBudget } from '../budgets/park-task.ts';
import type { ExecutedTask, ExecuteTaskArgs, ExecuteTaskResult, TaskOutcome } from '../contract.ts';
import type { TaskRef, ToolActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { completionDrafts } from './complete-goal.ts';
import { givenUp, recordEnd } from './record-end.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { prepareCall } from './tool-call.ts';
import type { ToolRunner } from './tool-runner.ts';
import { createUsageMeter, type UsageMeter } from './usage-meter.ts';
import type { Values } from './values.ts';
import { whileAway } from './while-away.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly runner: ToolRunner;
  readonly budgets: GoalBudgets;
  readonly ledger: BudgetLedger;
  readonly logger: Pick<Logger, 'error'>;
  readonly onScheduled: (seconds: number) => void;
}

const heartbeatMs = 1_000;

interface Attempt {
  readonly ref: TaskRef;
  readonly last: boolean;
  readonly resumed: ExecuteTaskArgs['resumed'];
  readonly account: Account;
  readonly meter: UsageMeter;
  readonly planned: PlannedTask;
  readonly number: number;
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  readonly timeoutSeconds: number;
}

/**
 * One attempt at a tool call, as an activity of its own.
 *
 * The end is recorded before it is told, so a worker that dies after the record leaves a finished task, and one that
 * dies before leaves an attempt that the server starts again. While a store is away the attempt waits for it, before and
 * after the call: what a tool has done is not undone, or done again, because it cannot be recorded at once.
 */
export function createExecuteTask(deps: Deps): ToolActivities['executeTask'] {
  return async (ref) => {
    const beat = setInterval(heartbeat, heartbeatMs);
    try {
      return await attemptTask(deps, ref);
    } finally {
      clearInterval(beat);
    }
  };
}

async function attemptTask(deps: Deps, ref: ExecuteTaskArgs): Promise<ExecuteTaskResult> {
  const { cancellationSignal } = Context.current();
  const opened = await whileAway(() => openAttempt(deps, ref), cancellationSignal);
  if ('status' in opened) return opened;
  try {
    return await run(deps, opened);
  } catch (error) {
    return await whileAway(() => settleFailure(deps, opened, error), cancellationSignal);
  }
}

/** The attempt, or the outcome that an earlier one recorded. */
async function openAttempt(deps: Deps, args: ExecuteTaskArgs): Promise<Attempt | TaskOutcome> {
  const { recorder, scopes, budgets } = deps;
  const { repeated: _, last = false, resumed, ...ref } = args;
  const counting = await budgets.scopesOf(ref.goal);
  // What is counted is not run twice for want of a look at the record.
  const firstAttempt = isFirst(args) && !counting;
  const recorded = await recorder.outcome(ref.goal, ref.taskId, { firstAttempt });
  if (recorded) return recorded;
  const planned = await scopes.find(ref.goal, ref.taskId);
  const binding = bindingOf((await recorder.plan(ref.goal)).outline, planned.outline);
  const number = numberOf(args);
  const account = counting ? await openAccount(deps, ref, { number, scopes: counting }) : freeAccount;
  if (binding?.effect === 'once' && number > 1 && !(await hasFailedCleanly(recorder, ref, number - 1))) {
    const error = effectInDoubt(planned.outline.tool ?? ref.taskId);
    const failed = draft('task.failed', { error }, { taskId: ref.taskId, attempt: number });
    return recordEnd(recorder, ref, ...account.settle(null, { again: false }), failed);
  }
  const retry = retryOf(planned.outline, binding);
  const timeoutSeconds = timeoutSecondsOf(planned.outline, binding);
  const meter = createUsageMeter();
  return { ref, last, resumed, account, meter, planned, number, startedAt: new Date(), retry, timeoutSeconds };
}

const numberOf = ({ resumed }: ExecuteTaskArgs): number => activityInfo().attempt + (resumed?.after ?? 0);
const isFirst = ({ repeated, resumed }: ExecuteTaskArgs): boolean =>
  activityInfo().attempt === 1 && !repeated && !resumed;

/** Did this attempt end by the tool's own failure, or not begin? Of one that was lost nobody knows what it did. */
async function hasFailedCleanly(recorder: Recorder, { goal, taskId }: TaskRef, attempt: number): Promise<boolean> {
  const task = await recorder.task(goal, taskId);
  return (task?.status === 'retrying' || task?.status === 'parked') && task.attempt === attempt;
}

async function run(deps: Deps, attempt: Attempt): Promise<ExecuteTaskResult> {
  const { recorder, scopes, values, runner } = deps;
  const { ref, planned, number, timeoutSeconds, account, meter } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  const call = await whileAway(() => prepareCall(scopes, ref.goal, planned), cancellationSignal);
  if (!call) {
    const skipped = draft('task.skipped', { reason: 'condition' }, about);
    return whileAway(() => recordEnd(recorder, ref, skipped), cancellationSignal);
  }
  const refusals = await whileAway(() => account.reserve(runner.estimate(call), timeoutSeconds), cancellationSignal);
  if (refusals.length > 0) {
    return whileAway(() => parkForBudget(recorder, ref, { attempt: number, refusals }), cancellationSignal);
  }
  noteStart(recorder, attempt);
  if (number === 1) deps.onScheduled(secondsSinceReady(recorder, ref));
  const result = await runner.run(call, { ref, attempt: number, timeoutSeconds, cancelled: cancellationSignal, meter });
  const output = await whileAway(() => values.toOutput(ref.goal.tenant, result.value), cancellationSignal);
  const created = result.artifacts.map((artifact) => draft('artifact.created', { artifact }, about));
  const completed = draft('task.completed', { ...output, ...timesOf(attempt) }, about);
  const drafts = [...created, ...account.settle(meter.total, { again: false }), completed];
  return whileAway(() => recordCompleted(deps, attempt, output, drafts), cancellationSignal);
}

function noteStart(recorder: Recorder, { ref, number, startedAt, resumed }: Attempt): void {
  const about = { taskId: ref.taskId, attempt: number, at: startedAt };
  if (resumed) recorder.note(ref.goal, draft('task.unparked', { reason: resumed.reason }, about));
  const queuedAt = new Date(activityInfo().scheduledTimestampMs).toISOString();
  recorder.note(ref.goal, draft('task.started', { queuedAt }, about));
}

/** When the attempt began, and what it used when its tool has said anything of that. */
function timesOf({ startedAt, meter }: Attempt): Pick<EventData['task.completed'], 'startedAt' | 'usage'> {
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  return { startedAt: startedAt.toISOString(), ...(meter.total && { usage: { ...meter.total, seconds } }) };
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

/** Records the end, or throws so that the server starts the next attempt. */
async function settleFailure({ recorder, logger }: Deps, attempt: Attempt, error: unknown): Promise<TaskOutcome> {
  const { ref, number, retry, account, meter } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  if (cancellationSignal.aborted) {
    const reason: unknown = cancellationSignal.reason;
    // The worker shuts down, or the server has given the attempt up: the task itself goes on elsewhere.
    if (!isCancelRequest(reason)) throw reason;
    const cancelled = draft('task.cancelled', { reason: null }, about);
    return recordEnd(recorder, ref, ...account.settle(meter.total, { again: false }), cancelled);
  }
  const info = toErrorInfo(error);
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...ref.goal, taskId: ref.taskId }, 'a task failed unexpectedly');
  if (mayRetry(info, retry, number)) {
    const seconds = Math.max(backoffSeconds(retry, number), retryAfter(error));
    const nextAttemptAt = new Date(Date.now() + seconds * 1_000).toISOString();
    const retrying = draft('task.retrying', { error: info, nextAttemptAt }, about);
    await recorder.record(ref.goal, [...account.settle(meter.total, { again: true }), retrying]);
    const { code: type, message } = info;
    // Without its cause, whose text may hold a secret: failures are kept in the history.
    throw ApplicationFailure.create({ type, message, nextRetryDelay: seconds * 1_000 });
  }
  const failed = draft('task.failed', { error: info, ...timesOf(attempt) }, about);
  return recordEnd(recorder, ref, ...account.settle(meter.total, { again: false }), failed);
}

/** Who was asked may have said when to ask again. */
const retryAfter = (error: unknown): number => (error instanceof AstraError ? (error.retryAfterSeconds ?? 0) : 0);

const isCancelRequest = (reason: unknown): boolean =>
  reason instanceof CancelledFailure && reason.message === 'CANCELLED';

function mayRetry(error: ErrorInfo, retry: RetrySchedule, attempt: number): boolean {
  return error.retryable && attempt < retry.maxAttempts && !retry.nonRetryableCodes.includes(error.code);
}
