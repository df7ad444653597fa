import { activityInfo, ApplicationFailure, CancelledFailure, Context, heartbeat } from '@temporalio/activity';
import { AstraError, effectInDoubt, toErrorInfo } from '../../domain/errors.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { backoffSeconds, lostAttempts, retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ExecuteTaskArgs, ExecuteTaskResult, TaskOutcome, TaskRef, ToolActivities } from '../contract.ts';
import type { CallSlots, HeldSlots, PutOff } from '../limits/call-slots.ts';
import { putOffFailure, timesPutOff } from '../limits/put-off.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { completionDrafts } from './complete-goal.ts';
import { givenUp, recordEnd } from './record-end.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { prepareCall, type ToolCall } from './tool-call.ts';
import type { ToolResult, ToolRunner } from './tool-runner.ts';
import type { Values } from './values.ts';
import { whileAway } from './while-away.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly values: Values;
  readonly runner: ToolRunner;
  readonly callSlots: CallSlots;
  readonly logger: Pick<Logger, 'error'>;
  readonly onScheduled: (seconds: number) => void;
}

const heartbeatMs = 1_000;

interface Attempt {
  readonly ref: TaskRef;
  readonly last: boolean;
  readonly planned: PlannedTask;
  readonly number: number;
  /** Not counted in `number`. */
  readonly timesPutOff: number;
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
    const times = timesPutOff();
    if (times > 0) heartbeat(times);
    const beat = setInterval(() => heartbeat(times), heartbeatMs);
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
  let result: ExecuteTaskResult | PutOff;
  try {
    result = await run(deps, opened);
  } catch (error) {
    return await whileAway(() => settleFailure(deps, opened, error), cancellationSignal);
  }
  if ('status' in result) return result;
  throw putOffFailure(result, opened.timesPutOff);
}

/** The attempt, or the outcome that an earlier one recorded. */
async function openAttempt({ recorder, scopes }: Deps, args: ExecuteTaskArgs): Promise<Attempt | TaskOutcome> {
  const { repeated = false, last = false, ...ref } = args;
  const firstAttempt = activityInfo().attempt === 1 && !repeated;
  const recorded = await recorder.outcome(ref.goal, ref.taskId, { firstAttempt });
  if (recorded) return recorded;
  const planned = await scopes.find(ref.goal, ref.taskId);
  const binding = bindingOf((await recorder.plan(ref.goal)).outline, planned.outline);
  const times = timesPutOff();
  const number = activityInfo().attempt - times;
  const retry = retryOf(planned.outline, binding);
  const fail = (error: ErrorInfo): Promise<TaskOutcome> =>
    recordEnd(recorder, ref, draft('task.failed', { error }, { taskId: ref.taskId, attempt: number }));
  if (binding?.effect === 'once' && number > 1 && !(await hasFailedCleanly(recorder, ref, number - 1))) {
    return fail(effectInDoubt(planned.outline.tool ?? ref.taskId));
  }
  if (number > retry.maxAttempts + lostAttempts) {
    const message = `No attempt at "${ref.taskId}" ended: each was lost with its worker. Does the tool end it?`;
    return fail({ code: 'ASTRA_TOOL_TIMEOUT', message, retryable: true });
  }
  const timeoutSeconds = timeoutSecondsOf(planned.outline, binding);
  return { ref, last, planned, number, timesPutOff: times, startedAt: new Date(), retry, timeoutSeconds };
}

/** Did this attempt end by the tool's own failure? Of one that was lost nobody knows what it did. */
async function hasFailedCleanly(recorder: Recorder, { goal, taskId }: TaskRef, attempt: number): Promise<boolean> {
  const task = await recorder.task(goal, taskId);
  // What was put off since has not begun another.
  return (task?.status === 'retrying' || task?.status === 'queued') && task.attempt === attempt;
}

async function run(deps: Deps, attempt: Attempt): Promise<ExecuteTaskResult | PutOff> {
  const { recorder, scopes } = deps;
  const { ref, planned, number } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  const call = await whileAway(() => prepareCall(scopes, ref.goal, planned), cancellationSignal);
  if (!call) {
    const skipped = draft('task.skipped', { reason: 'condition' }, about);
    return whileAway(() => recordEnd(recorder, ref, skipped), cancellationSignal);
  }
  const slots = await whileAway(() => takeSlots(deps, attempt, call), cancellationSignal);
  if (slots && 'waitingFor' in slots) {
    const reason: unknown = cancellationSignal.reason;
    if (isCancelRequest(reason)) throw reason;
    const queued = draft('task.queued', { waitingFor: slots.waitingFor }, about);
    await whileAway(() => recorder.record(ref.goal, [queued]), cancellationSignal);
    return slots;
  }
  if (slots === null && number === 1) deps.onScheduled(secondsSinceReady(recorder, ref));
  // What a call waits for its slots is no time of its tool.
  const begun = slots ? { ...attempt, startedAt: new Date() } : attempt;
  return recordResult(deps, begun, await callTool(deps, begun, { call, slots }));
}

/** Null: no limit applies. @throws ASTRA_LIMIT_REACHED */
async function takeSlots(
  { callSlots, recorder }: Deps,
  { ref, timesPutOff: times }: Attempt,
  { tool }: ToolCall,
): Promise<HeldSlots | PutOff | null> {
  if (!callSlots.mayApply(ref.goal.tenant)) return null;
  const head = await recorder.head(ref.goal);
  return callSlots.take({ ref, tool, head, timesPutOff: times }, Context.current().cancellationSignal);
}

async function callTool(
  { recorder, runner }: Deps,
  { ref, number, startedAt, timeoutSeconds }: Attempt,
  { call, slots }: { readonly call: ToolCall; readonly slots: HeldSlots | null },
): Promise<ToolResult> {
  const queuedAt = new Date(activityInfo().scheduledTimestampMs).toISOString();
  const about = { taskId: ref.taskId, attempt: number, at: startedAt };
  recorder.note(ref.goal, draft('task.started', { queuedAt }, about));
  try {
    const { cancellationSignal: cancelled } = Context.current();
    return await runner.run(call, { ref, attempt: number, timeoutSeconds, cancelled });
  } finally {
    await slots?.giveBack();
  }
}

async function recordResult(deps: Deps, attempt: Attempt, result: ToolResult): Promise<ExecuteTaskResult> {
  const { values } = deps;
  const { ref, number, startedAt } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
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
): Promise<ExecuteTaskResult> {
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
  const { ref, number, retry, startedAt } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const { cancellationSignal } = Context.current();
  if (cancellationSignal.aborted) {
    const reason: unknown = cancellationSignal.reason;
    // The worker shuts down, or the server has given the attempt up: the task itself goes on elsewhere.
    if (!isCancelRequest(reason)) throw reason;
    return recordEnd(recorder, ref, draft('task.cancelled', { reason: null }, about));
  }
  const info = toErrorInfo(error);
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...ref.goal, taskId: ref.taskId }, 'a task failed unexpectedly');
  if (mayRetry(info, retry, number)) {
    const seconds = Math.max(backoffSeconds(retry, number), retryAfter(error));
    const nextAttemptAt = new Date(Date.now() + seconds * 1_000).toISOString();
    await recorder.record(ref.goal, [draft('task.retrying', { error: info, nextAttemptAt }, about)]);
    const { code: type, message } = info;
    // Without its cause, whose text may hold a secret: failures are kept in the history.
    throw ApplicationFailure.create({ type, message, nextRetryDelay: seconds * 1_000 });
  }
  return recordEnd(recorder, ref, draft('task.failed', { error: info, startedAt: startedAt.toISOString() }, about));
}

/** Who was asked may have said when to ask again. */
const retryAfter = (error: unknown): number => (error instanceof AstraError ? (error.retryAfterSeconds ?? 0) : 0);

const isCancelRequest = (reason: unknown): boolean =>
  reason instanceof CancelledFailure && reason.message === 'CANCELLED';

function mayRetry(error: ErrorInfo, retry: RetrySchedule, attempt: number): boolean {
  return error.retryable && attempt < retry.maxAttempts && !retry.nonRetryableCodes.includes(error.code);
}
