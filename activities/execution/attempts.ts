import { activityInfo, Context } from '@temporalio/activity';
import { AstraError, effectInDoubt, toErrorInfo } from '../../domain/errors.ts';
import { bindingOf, runOf, type ToolBinding } from '../../domain/plan-outline.ts';
import { backoffSeconds, lostAttempts, retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { Logger } from '../../platform/logger.ts';
import type {
  ExecuteTaskAnswer,
  ExecuteTaskArgs,
  ExecuteTaskResult,
  RetryDue,
  TaskOutcome,
  TaskRef,
} from '../contract.ts';
import type { CallSlots, HeldSlots, PutOff } from '../limits/call-slots.ts';
import { timesPutOff, type AttemptPutOff } from '../limits/put-off.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import type { AskPolicy } from './ask-policy.ts';
import { clearedCall } from './cleared-call.ts';
import { draft } from './drafts.ts';
import { completionDrafts } from './complete-goal.ts';
import { givenUp, recordEnd } from './record-end.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { isCancelled, settleAborted } from './settle-aborted.ts';
import { stoppedByPolicy } from './stopped-by-policy.ts';
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
  readonly tools: ToolRegistry;
  readonly askPolicy: AskPolicy;
  readonly running: RunningAttempts;
  readonly callSlots: CallSlots;
  readonly logger: Pick<Logger, 'error'>;
  readonly onScheduled: (seconds: number) => void;
}

interface Attempt {
  readonly ref: TaskRef;
  readonly last: boolean;
  readonly cleared: boolean;
  readonly planned: PlannedTask;
  readonly number: number;
  /** Not counted in `number`. */
  readonly timesPutOff: number;
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  readonly timeoutSeconds: number;
  /** Aborts as soon as a cancel is heard of, on either lane, and when the worker shuts down. */
  readonly signal: AbortSignal;
}

/** What an attempt comes to. */
type Made = ExecuteTaskAnswer | RetryDue | AttemptPutOff;

/** Makes one attempt at a tool call. */
export interface Attempts {
  /** @param args.last is for the task's own activity alone */
  make(args: ExecuteTaskArgs): Promise<Made>;
}

/**
 * Attempts at tool calls, within an activity.
 *
 * The end is recorded before it is told, so a worker that dies after the record leaves a finished task, and one that
 * dies before leaves an attempt that the server starts again. While a store is away the attempt waits for it, before and
 * after the call: what a tool has done is not undone, or done again, because it cannot be recorded at once.
 */
export function createAttempts(deps: Deps): Attempts {
  return {
    make(args) {
      const { cancellationSignal } = Context.current();
      return deps.running.during(args.goal, cancellationSignal, (signal) => makeAttempt(deps, args, signal));
    },
  };
}

async function makeAttempt(deps: Deps, args: ExecuteTaskArgs, signal: AbortSignal): Promise<Made> {
  const { cancellationSignal } = Context.current();
  const opened = await whileAway(() => openAttempt(deps, args, signal), cancellationSignal);
  if ('status' in opened) return opened;
  try {
    return await run(deps, opened);
  } catch (error) {
    // The fast lane's word is no reason to stop waiting for a store: Temporal's own follows.
    return await whileAway(() => settleFailure(deps, opened, error), cancellationSignal);
  }
}

/** The attempt, or the outcome that an earlier one recorded. */
async function openAttempt(
  deps: Deps,
  args: ExecuteTaskArgs,
  signal: AbortSignal,
): Promise<Attempt | ExecuteTaskAnswer> {
  const { recorder, scopes } = deps;
  const { repeated = false, last = false, attempted = 0, cleared: wasCleared, ...ref } = args;
  const cleared = wasCleared === true;
  const firstAttempt = activityInfo().attempt === 1 && !repeated;
  const recorded = await recorder.outcome(ref.goal, ref.taskId, { firstAttempt });
  if (recorded) return recorded;
  const planned = await scopes.find(ref.goal, ref.taskId);
  const binding = bindingOf((await recorder.plan(ref.goal)).outline, planned.outline);
  const times = timesPutOff();
  const number = attempted + activityInfo().attempt - times;
  const retry = retryOf(planned.outline, binding);
  const error = number === 1 ? null : await lostBefore(recorder, ref, { number, planned, binding, retry });
  if (error) return recordEnd(recorder, ref, draft('task.failed', { error }, { taskId: ref.taskId, attempt: number }));
  const stopped = await stoppedByPolicy(deps, ref, { planned, number, cleared });
  if (stopped) return stopped;
  const timeoutSeconds = timeoutSecondsOf(planned.outline, binding);
  const startedAt = new Date();
  return { ref, last, cleared, planned, number, timesPutOff: times, startedAt, retry, timeoutSeconds, signal };
}

/** Why no attempt may follow those that were lost with their worker, if so. Temporal would count those put off, too. */
async function lostBefore(
  recorder: Recorder,
  ref: TaskRef,
  attempt: Pick<Attempt, 'number' | 'planned' | 'retry'> & { readonly binding: ToolBinding | undefined },
): Promise<ErrorInfo | null> {
  const { number, planned, binding, retry } = attempt;
  if (binding?.effect === 'once' && !(await hasFailedCleanly(recorder, ref, number - 1))) {
    return effectInDoubt(planned.outline.tool ?? ref.taskId);
  }
  if (number <= retry.maxAttempts + lostAttempts) return null;
  const message = `No attempt at "${ref.taskId}" ended: each was lost with its worker. Does the tool end it?`;
  return { code: 'ASTRA_TOOL_TIMEOUT', message, retryable: true };
}

/** Did this attempt end by the tool's own failure? Of one that was lost nobody knows what it did. */
async function hasFailedCleanly(recorder: Recorder, { goal, taskId }: TaskRef, attempt: number): Promise<boolean> {
  const task = await recorder.task(goal, taskId);
  // What was put off since has not begun another.
  return (task?.status === 'retrying' || task?.status === 'queued') && task.attempt === attempt;
}

async function run(deps: Deps, attempt: Attempt): Promise<ExecuteTaskResult | AttemptPutOff> {
  const { recorder, scopes } = deps;
  const { ref, planned, number, signal, cleared } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const prepare = (): Promise<ToolCall | null> =>
    cleared ? clearedCall(deps, ref.goal, planned) : prepareCall(scopes, ref.goal, planned);
  const call = await whileAway(prepare, signal);
  if (!call) {
    const skipped = draft('task.skipped', { reason: 'condition' }, about);
    return whileAway(() => recordEnd(recorder, ref, skipped), signal);
  }
  const slots = await whileAway(() => takeSlots(deps, attempt, call), signal);
  if (slots && 'waitingFor' in slots) return recordPutOff(recorder, attempt, slots);
  // How long people took to approve it, or a limit to let it in, says nothing of the scheduling.
  if (number === 1 && !cleared && slots === null) deps.onScheduled(secondsSinceReady(recorder, ref));
  // What a call waits for its slots is no time of its tool.
  const begun = slots ? { ...attempt, startedAt: new Date() } : attempt;
  return recordResult(deps, begun, await callTool(deps, begun, { call, slots }));
}

/** Null: no limit applies. @throws ASTRA_LIMIT_REACHED */
async function takeSlots(
  { callSlots, recorder }: Deps,
  { ref, timesPutOff: times, signal }: Attempt,
  { tool }: ToolCall,
): Promise<HeldSlots | PutOff | null> {
  if (!callSlots.mayApply(ref.goal.tenant)) return null;
  const head = await recorder.head(ref.goal);
  return callSlots.take({ ref, tool, head, timesPutOff: times }, signal);
}

/** @throws what has aborted the attempt, if that is a cancel */
async function recordPutOff(
  recorder: Recorder,
  { ref, number, signal }: Attempt,
  putOff: PutOff,
): Promise<AttemptPutOff> {
  if (isCancelled(signal)) throw signal.reason;
  const queued = draft('task.queued', { waitingFor: putOff.waitingFor }, { taskId: ref.taskId, attempt: number });
  await whileAway(() => recorder.record(ref.goal, [queued]), signal);
  return { status: 'put_off', ...putOff, attempted: number - 1 };
}

async function callTool(
  { recorder, runner }: Deps,
  { ref, planned, number, startedAt, timeoutSeconds, signal }: Attempt,
  { call, slots }: { readonly call: ToolCall; readonly slots: HeldSlots | null },
): Promise<ToolResult> {
  const queuedAt = new Date(activityInfo().scheduledTimestampMs).toISOString();
  const about = { taskId: ref.taskId, attempt: number, at: startedAt };
  recorder.note(ref.goal, draft('task.started', { queuedAt }, about));
  try {
    const run = runOf(planned.outline);
    return await runner.run(call, { ref, run, attempt: number, timeoutSeconds, cancelled: signal });
  } finally {
    await slots?.giveBack();
  }
}

async function recordResult(deps: Deps, attempt: Attempt, result: ToolResult): Promise<ExecuteTaskResult> {
  const { values } = deps;
  const { ref, number, startedAt, signal } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const output = await whileAway(() => values.toOutput(ref.goal.tenant, result.value), signal);
  const created = result.artifacts.map((artifact) => draft('artifact.created', { artifact }, about));
  const seconds = (Date.now() - startedAt.getTime()) / 1_000;
  const usage = result.usage ? { usage: { ...result.usage, seconds } } : {};
  const completed = draft('task.completed', { ...output, ...usage, startedAt: startedAt.toISOString() }, about);
  return whileAway(() => recordCompleted(deps, attempt, output, [...created, completed]), signal);
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

/** Records the end, or that another attempt follows. @throws what has ended the attempt without ending the task */
async function settleFailure(
  { recorder, logger }: Deps,
  attempt: Attempt,
  error: unknown,
): Promise<TaskOutcome | RetryDue> {
  const { ref, number, retry, startedAt, signal } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  if (signal.aborted) return settleAborted(recorder, attempt);
  const info = toErrorInfo(error);
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...ref.goal, taskId: ref.taskId }, 'a task failed unexpectedly');
  if (mayRetry(info, retry, number)) {
    const afterSeconds = Math.max(backoffSeconds(retry, number), retryAfter(error));
    const nextAttemptAt = new Date(Date.now() + afterSeconds * 1_000).toISOString();
    await recorder.record(ref.goal, [draft('task.retrying', { error: info, nextAttemptAt }, about)]);
    return { status: 'retrying', error: info, afterSeconds, attempted: number };
  }
  return recordEnd(recorder, ref, draft('task.failed', { error: info, startedAt: startedAt.toISOString() }, about));
}

/** Who was asked may have said when to ask again. */
const retryAfter = (error: unknown): number => (error instanceof AstraError ? (error.retryAfterSeconds ?? 0) : 0);

function mayRetry(error: ErrorInfo, retry: RetrySchedule, attempt: number): boolean {
  return error.retryable && attempt < retry.maxAttempts && !retry.nonRetryableCodes.includes(error.code);
}
