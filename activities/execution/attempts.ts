import { activityInfo, Context } from '@temporalio/activity';
import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { runOf } from '../../domain/plan-outline.ts';
import { backoffSeconds, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventData, EventDraft, Output } from '../../domain/schemas/event.ts';
import type { Logger } from '../../platform/logger.ts';
import type {
  ExecuteTaskAnswer,
  ExecuteTaskArgs,
  ExecutedTask,
  HeldAttempt,
  ParkedTask,
  RetryDue,
  TaskOutcome,
  TaskRef,
} from '../contract.ts';
import { parkForBudget } from '../budgets/park-task.ts';
import type { CallSlots, HeldSlots, PutOff } from '../limits/call-slots.ts';
import type { AttemptPutOff } from '../limits/put-off.ts';
import type { Recorder } from '../projection/recorder.ts';
import { clearedCall } from './cleared-call.ts';
import { draft } from './drafts.ts';
import { completionDrafts } from './complete-goal.ts';
import { recordFailure } from './park-failed.ts';
import { openAttempt, type Attempt, type OpenAttemptDeps } from './open-attempt.ts';
import { givenUp, recordEnd } from './record-end.ts';
import type { RunningAttempts } from './running-attempts.ts';
import { isCancelled, settleAborted } from './settle-aborted.ts';
import { prepareCall, type ToolCall } from './tool-call.ts';
import type { ToolResult, ToolRunner } from './tool-runner.ts';
import type { Values } from './values.ts';
import { whileAway } from './while-away.ts';

interface Deps extends OpenAttemptDeps {
  readonly values: Values;
  readonly runner: ToolRunner;
  readonly running: RunningAttempts;
  readonly callSlots: CallSlots;
  readonly logger: Pick<Logger, 'error'>;
  readonly onScheduled: (seconds: number) => void;
}

/** What an attempt comes to. */
type Made = ExecuteTaskAnswer | AttemptPutOff;

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

async function run(deps: Deps, attempt: Attempt): Promise<ExecutedTask | ParkedTask | AttemptPutOff> {
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
  const paused = await whileAway(() => putOffByPause(recorder, attempt), signal);
  const slots = paused ?? (await whileAway(() => takeSlots(deps, attempt, call), signal));
  if (slots && 'waitingFor' in slots) return recordPutOff(recorder, attempt, slots);
  // What a call waits for its slots is no time of its tool.
  const begun = slots ? { ...attempt, startedAt: new Date() } : attempt;
  const result = await callTool(deps, begun, { call, slots });
  return 'status' in result ? result : recordResult(deps, begun, result);
}

/** How soon what is put off looks whether its goal is paused still. */
const lookAgainSeconds = 5;

/** What a limit has put off has not begun, and does not while its goal is paused. Null: it may. */
async function putOffByPause(recorder: Recorder, { ref, timesPutOff }: Attempt): Promise<PutOff | null> {
  if (timesPutOff === 0) return null;
  const { status, pause } = await recorder.state(ref.goal);
  if (status !== 'paused') return null;
  const detail = pause?.reason ?? 'the goal is paused';
  return { waitingFor: { kind: 'paused', detail, until: null }, seconds: lookAgainSeconds };
}

/** Null: no limit applies. @throws ASTRA_LIMIT_REACHED */
async function takeSlots(
  { callSlots, recorder }: Deps,
  { ref, timesPutOff, signal }: Attempt,
  { tool }: ToolCall,
): Promise<HeldSlots | PutOff | null> {
  if (!callSlots.mayApply(ref.goal.tenant)) return null;
  const head = await recorder.head(ref.goal);
  return callSlots.take({ ref, tool, head, timesPutOff }, signal);
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

/** Parked is what a budget has no room for. The slots are given back in any case. */
async function callTool(
  deps: Deps,
  attempt: Attempt,
  { call, slots }: { readonly call: ToolCall; readonly slots: HeldSlots | null },
): Promise<ToolResult | ParkedTask> {
  const { recorder, runner } = deps;
  const { ref, planned, number, timeoutSeconds, signal, cleared, account, meter, unparked } = attempt;
  try {
    const refusals = await whileAway(() => account.reserve(runner.estimate(call), timeoutSeconds), signal);
    if (refusals.length > 0)
      return await whileAway(() => parkForBudget(recorder, ref, { attempt: number, refusals, unparked }), signal);
    noteStart(recorder, attempt);
    // How long people took to approve it, or a limit to let it in, says nothing of the scheduling.
    if (number === 1 && !cleared && slots === null) deps.onScheduled(secondsSinceReady(recorder, ref));
    const run = runOf(planned.outline);
    return await runner.run(call, { ref, run, attempt: number, timeoutSeconds, cancelled: signal, meter });
  } finally {
    await slots?.giveBack();
  }
}

async function recordResult(deps: Deps, attempt: Attempt, result: ToolResult): Promise<ExecutedTask> {
  const { values } = deps;
  const { ref, number, signal, account, meter } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  const output = await whileAway(() => values.toOutput(ref.goal.tenant, result.value), signal);
  const created = result.artifacts.map((artifact) => draft('artifact.created', { artifact }, about));
  const completed = draft('task.completed', { ...output, ...timesOf(attempt) }, about);
  const drafts = [...created, ...account.settle(meter.total, { again: false }), completed];
  return whileAway(() => recordCompleted(deps, attempt, output, drafts), signal);
}

function noteStart(recorder: Recorder, { ref, number, startedAt, unparked }: Attempt): void {
  const about = { taskId: ref.taskId, attempt: number, at: startedAt };
  if (unparked) recorder.note(ref.goal, draft('task.unparked', { reason: unparked }, about));
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

/** Records the end, or that another attempt follows. @throws what has ended the attempt without ending the task */
async function settleFailure(
  { recorder, logger }: Deps,
  attempt: Attempt,
  error: unknown,
): Promise<TaskOutcome | RetryDue | HeldAttempt | ParkedTask> {
  const { ref, number, counted, retry, signal, account, meter, unparked } = attempt;
  const about = { taskId: ref.taskId, attempt: number };
  if (signal.aborted) return settleAborted(recorder, attempt);
  const info = toErrorInfo(error);
  if (!(error instanceof AstraError))
    logger.error({ err: error, ...ref.goal, taskId: ref.taskId }, 'a task failed unexpectedly');
  if (mayRetry(info, retry, counted)) {
    const afterSeconds = Math.max(backoffSeconds(retry, counted), retryAfter(error));
    const nextAttemptAt = new Date(Date.now() + afterSeconds * 1_000).toISOString();
    const retrying = draft('task.retrying', { error: info, nextAttemptAt }, about);
    await recorder.record(ref.goal, [...account.settle(meter.total, { again: true }), retrying]);
    return { status: 'retrying', error: info, afterSeconds, attempted: number };
  }
  const failed = { error: info, ...timesOf(attempt) };
  const settled = account.settle(meter.total, { again: false });
  return recordFailure(recorder, { ref, outline: attempt.planned.outline, number, unparked }, { failed, settled });
}

/** Who was asked may have said when to ask again. */
const retryAfter = (error: unknown): number => (error instanceof AstraError ? (error.retryAfterSeconds ?? 0) : 0);

function mayRetry(error: ErrorInfo, retry: RetrySchedule, attempt: number): boolean {
  return error.retryable && attempt < retry.maxAttempts && !retry.nonRetryableCodes.includes(error.code);
}
