import { activityInfo } from '@temporalio/activity';
import { effectInDoubt } from '../../domain/errors.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { retryOf, timeoutSecondsOf, type RetrySchedule } from '../../domain/retry.ts';
import type { TaskStatus } from '../../domain/schemas/goal.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import { freeAccount, openAccount, type Account } from '../budgets/account.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import type { ExecuteTaskAnswer, ExecuteTaskArgs, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import type { AskPolicy } from './ask-policy.ts';
import { draft } from './drafts.ts';
import { recordEnd } from './record-end.ts';
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
  readonly startedAt: Date;
  readonly retry: RetrySchedule;
  readonly timeoutSeconds: number;
  readonly account: Account;
  readonly meter: UsageMeter;
  /** Aborts as soon as a cancel is heard of, on either lane, and when the worker shuts down. */
  readonly signal: AbortSignal;
}

const asFirst = { last: false, attempted: 0, held: 0, cleared: false, unparked: undefined };

/** The attempt, or the outcome that an earlier one recorded. @throws ASTRA_UNAVAILABLE */
export async function openAttempt(
  deps: OpenAttemptDeps,
  args: ExecuteTaskArgs,
  signal: AbortSignal,
): Promise<Attempt | ExecuteTaskAnswer> {
  const { recorder, scopes, budgets } = deps;
  const { last, attempted, held, cleared, unparked, goal, taskId } = { ...asFirst, ...args };
  const ref = { goal, taskId };
  const counting = await budgets.scopesOf(goal);
  // What is counted is not run twice for want of a look at the record.
  const recorded = await recorder.outcome(goal, taskId, { firstAttempt: isFirst(args) && !counting });
  if (recorded) return recorded;
  const planned = await scopes.find(goal, taskId);
  const binding = bindingOf((await recorder.plan(goal)).outline, planned.outline);
  const number = attempted + activityInfo().attempt;
  const account = counting ? await openAccount(deps, ref, { number, scopes: counting }) : freeAccount;
  if (binding?.effect === 'once' && (await isInDoubt(recorder, ref, number))) {
    const error = effectInDoubt(planned.outline.tool ?? taskId);
    const failed = draft('task.failed', { error }, { taskId, attempt: number });
    return recordEnd(recorder, ref, ...account.settle(null, { again: false }), failed);
  }
  const stopped = await stoppedByPolicy(deps, ref, { planned, number, cleared });
  if (stopped) return stopped;
  const retry = retryOf(planned.outline, binding);
  const timeoutSeconds = timeoutSecondsOf(planned.outline, binding);
  const made = { retry, timeoutSeconds, account, meter: createUsageMeter(), signal };
  return { ref, last, cleared, unparked, planned, number, counted: number - held, startedAt: new Date(), ...made };
}

const isFirst = ({ repeated, unparked }: ExecuteTaskArgs): boolean =>
  activityInfo().attempt === 1 && !repeated && !unparked;

/** What a task is that waits for an attempt, and has none under way: between two attempts it may have been parked. */
const between: ReadonlySet<TaskStatus> = new Set(['retrying', 'parked', 'queued']);

/** Is there an attempt before this one that did not end by the tool's own failure? Of one that was lost nobody knows what it did. */
async function isInDoubt(recorder: Recorder, { goal, taskId }: TaskRef, number: number): Promise<boolean> {
  if (number === 1) return false;
  const task = await recorder.task(goal, taskId);
  return !(task && between.has(task.status) && task.attempt === number - 1);
}
