import { activityInfo } from '@temporalio/activity';
import { effectInDoubt } from '../../domain/errors.ts';
import { bindingOf, type TaskOutline, type ToolBinding } from '../../domain/plan-outline.ts';
import { lostAttempts, retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { TaskStatus } from '../../domain/schemas/goal.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import { freeAccount, openAccount, type Account } from '../budgets/account.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import { timesPutOff } from '../limits/put-off.ts';
import type { ExecuteTaskAnswer, ExecuteTaskArgs, ParkedTask, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import type { AskPolicy } from './ask-policy.ts';
import { parkedSince, recordFailure } from './park-failed.ts';
import { stoppedByPolicy } from './stopped-by-policy.ts';
import type { PlannedTask, TaskScopes } from './task-scope.ts';
import { createUsageMeter, type UsageMeter } from './usage-meter.ts';

export interface OpenAttemptDeps {
  readonly recorder: Recorder;
  readonly scopes: TaskScopes;
  readonly tools: ToolRegistry;
  readonly askPolicy: AskPolicy;
  readonly budgets: GoalBudgets;
  readonly ledger: BudgetLedger;
}

/** One attempt at a tool call, before its input is prepared. */
export interface Attempt {
  readonly ref: TaskRef;
  readonly last: boolean;
  readonly cleared: boolean;
  readonly unparked: ExecuteTaskArgs['unparked'];
  readonly planned: PlannedTask;
  readonly number: number;
  /** What its number is to the retry policy. */
  readonly counted: number;
  /** Not counted in `number`. */
  readonly timesPutOff: number;
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  readonly timeoutSeconds: number;
  readonly account: Account;
  readonly meter: UsageMeter;
  /** Aborts as soon as a cancel is heard of, on either lane, and when the worker shuts down. */
  readonly signal: AbortSignal;
}

const asFirst = { last: false, attempted: 0, held: 0, forgiven: 0, cleared: false, unparked: undefined };

/** The attempt, or the outcome that an earlier one recorded. @throws ASTRA_UNAVAILABLE */
export async function openAttempt(
  deps: OpenAttemptDeps,
  args: ExecuteTaskArgs,
  signal: AbortSignal,
): Promise<Attempt | ExecuteTaskAnswer> {
  const { recorder, scopes, budgets } = deps;
  const { last, attempted, held, forgiven, cleared, unparked, goal, taskId } = { ...asFirst, ...args };
  const ref = { goal, taskId };
  const counting = await budgets.scopesOf(goal);
  // What is counted is not run twice for want of a look at the record.
  const recorded = await recorder.outcome(goal, taskId, { firstAttempt: isFirst(args) && !counting });
  if (recorded) return recorded;
  const planned = await scopes.find(goal, taskId);
  const { outline } = planned;
  const parked = await parkedBefore(recorder, args, outline);
  if (parked) return parked;
  const binding = bindingOf((await recorder.plan(goal)).outline, outline);
  const putOff = timesPutOff();
  const number = attempted + activityInfo().attempt - putOff;
  const counted = number - held - forgiven;
  const retry = retryOf(outline, binding);
  const account = counting ? await openAccount(deps, ref, { number, scopes: counting }) : freeAccount;
  const error = number === 1 ? null : await lostBefore(recorder, ref, { number, counted, planned, binding, retry });
  if (error) {
    const settled = account.settle(null, { again: false });
    return recordFailure(recorder, { ref, outline, number, unparked }, { failed: { error }, settled });
  }
  const stopped = await stoppedByPolicy(deps, ref, { planned, number, cleared });
  if (stopped) return stopped;
  const timeoutSeconds = timeoutSecondsOf(outline, binding);
  const asked = { ref, last, cleared, unparked, planned, number, counted, timesPutOff: putOff };
  return { ...asked, startedAt: new Date(), retry, timeoutSeconds, account, meter: createUsageMeter(), signal };
}

/** An earlier attempt of this activity, or of one that the workflow was reset to, may have parked the task. */
async function parkedBefore(
  recorder: Recorder,
  args: ExecuteTaskArgs,
  { onFailure }: TaskOutline,
): Promise<ParkedTask | null> {
  return onFailure === 'park' && !isFirst(args) ? parkedSince(recorder, args, args.attempted ?? 0) : null;
}

const isFirst = ({ repeated, unparked }: ExecuteTaskArgs): boolean =>
  activityInfo().attempt === 1 && !repeated && !unparked;

/** What a task is that waits for an attempt, and has none under way: between two attempts it may have been parked. */
const between: ReadonlySet<TaskStatus> = new Set(['retrying', 'parked', 'queued']);

/** Why no attempt may follow those that were lost with their worker, if so. Temporal would count those put off, too. */
async function lostBefore(
  recorder: Recorder,
  { goal, taskId }: TaskRef,
  attempt: Pick<Attempt, 'number' | 'counted' | 'planned' | 'retry'> & { readonly binding: ToolBinding | undefined },
): Promise<ErrorInfo | null> {
  const { number, counted, planned, binding, retry } = attempt;
  if (binding?.effect === 'once') {
    // Of an attempt that did not end by the tool's own failure nobody knows what it did.
    const task = await recorder.task(goal, taskId);
    const isKnown = task && between.has(task.status) && task.attempt === number - 1;
    if (!isKnown) return effectInDoubt(planned.outline.tool ?? taskId);
  }
  if (counted <= retry.maxAttempts + lostAttempts) return null;
  const message = `No attempt at "${taskId}" ended: each was lost with its worker. Does the tool end it?`;
  return { code: 'ASTRA_TOOL_TIMEOUT', message, retryable: true };
}
