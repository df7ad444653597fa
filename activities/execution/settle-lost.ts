import { isErrorCode } from '../../domain/errors.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import type { TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';

export interface LostCallDeps {
  readonly recorder: Recorder;
  readonly budgets: GoalBudgets;
  readonly ledger: Pick<BudgetLedger, 'reservedBy'>;
}

/** Nobody knows what the attempt has cost that was lost last: what it had reserved counts. */
export async function settleLost(
  { budgets, ledger }: Omit<LostCallDeps, 'recorder'>,
  task: TaskRef,
): Promise<readonly EventDraft[]> {
  if (!(await budgets.scopesOf(task.goal))) return [];
  const attempt = await ledger.reservedBy(task);
  return attempt === null ? [] : [draft('budget.settled', { actual: null }, { taskId: task.taskId, attempt })];
}

/** A failure that the workflow saw: its code is what an activity gave it, so it may be none of ours. */
export const asRecorded = (error: ErrorInfo): ErrorInfo =>
  isErrorCode(error.code) ? error : { ...error, code: 'ASTRA_INTERNAL' };
