import { activityInfo } from '@temporalio/activity';
import { effectInDoubt } from '../../domain/errors.ts';
import { bindingOf, type TaskOutline } from '../../domain/plan-outline.ts';
import { retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import { freeAccount, openAccount, type Account } from '../budgets/account.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
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
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  /** Attempts that do not count towards it any more. */
  readonly forgiven: number | undefined;
  readonly timeoutSeconds: number;
  readonly account: Account;
  readonly meter: UsageMeter;
  /** Aborts as soon as a cancel is heard of, on either lane, and when the worker shuts down. */
  readonly signal: AbortSignal;
}

/** The attempt, or the outcome that an earlier one recorded. @throws ASTRA_UNAVAILABLE */
export async function openAttempt(
  deps: OpenAttemptDeps,
  args: ExecuteTaskArgs,
  signal: AbortSignal,
): Promise<Attempt | ExecuteTaskAnswer> {
  const { recorder, scopes, budgets } = deps;
  const { goal, taskId, unparked, cleared = false, attempted = 0 } = args;
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
  const number = attempted + activityInfo().attempt;
  const account = counting ? await openAccount(deps, ref, { number, scopes: counting }) : freeAccount;
  if (binding?.effect === 'once' && (await isInDoubt(recorder, ref, number))) {
    const failed = { error: effectInDoubt(outline.tool ?? taskId) };
    const settled = account.settle(null, { again: false });
    return recordFailure(recorder, { ref, outline, number, unparked }, { failed, settled });
  }
  const stopped = await stoppedByPolicy(deps, ref, { planned, number, cleared });
  if (stopped) return stopped;
  const retry = retryOf(outline, binding);
  const timeoutSeconds = timeoutSecondsOf(outline, binding);
  const made = { retry, forgiven: args.forgiven, timeoutSeconds, account, meter: createUsageMeter(), signal };
  return { ref, last: args.last === true, cleared, unparked, planned, number, startedAt: new Date(), ...made };
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

/** Is there an attempt before this one that did not end by the tool's own failure? Of one that was lost nobody knows what it did. */
async function isInDoubt(recorder: Recorder, { goal, taskId }: TaskRef, number: number): Promise<boolean> {
  if (number === 1) return false;
  const task = await recorder.task(goal, taskId);
  return !((task?.status === 'retrying' || task?.status === 'parked') && task.attempt === number - 1);
}
