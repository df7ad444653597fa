import { AstraError } from '../../domain/errors.ts';
import { raisedMark } from '../../domain/goal-news.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { budgetApprovalId } from '../../domain/ids.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import { budgetAmountsSchema, budgetUnits } from '../../domain/schemas/budget.ts';
import type { BudgetLedger, BudgetQuestion } from '../../stores/postgres/budgets.ts';
import type { KernelActivities } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import { openedOf } from '../execution/open-approval.ts';
import type { Recorder } from '../projection/recorder.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly ledger: BudgetLedger;
}

/**
 * Asks people to raise the goal's budget, or one above it, that its tasks are parked for. A question that is open, or
 * whose answer nobody has acted on, is taken up again. Null: the budget is not used up any more.
 */
export function createAskForBudget({ recorder, ledger }: Deps): KernelActivities['askForBudget'] {
  return async ({ goal }) => {
    for (let n = 1; ; n += 1) {
      const id = budgetApprovalId(goal.goalId, n);
      const earlier = await recorder.approval(goal, id);
      if (earlier && (await isOpen(recorder, goal, earlier))) return openedOf(earlier);
      if (earlier) continue;
      const question = await ledger.question(goal);
      if (!question) return null;
      const { objective } = await recorder.head(goal);
      const request = {
        approvalId: id,
        kind: 'budget',
        prompt: promptOf(question, objective),
        // Of JSON's types only.
        input: { ...question } as unknown as JsonObject,
        required: 1,
        expiresAt: null,
      } as const;
      await recorder.record(goal, [draft('approval.requested', request)]);
      const approval = await recorder.approval(goal, id);
      // Nothing is recorded of a goal that has ended.
      return approval && openedOf(approval);
    }
  };
}

/** Approved, but not acted on: the workflow began a new history in between. */
const isOpen = async (recorder: Recorder, goal: GoalRef, { id, status }: Approval): Promise<boolean> =>
  status === 'pending' || (status === 'approved' && !(await recorder.isMarked(goal, raisedMark(id))));

function promptOf({ limit, spent }: BudgetQuestion, objective: string): string {
  const parts = budgetUnits.flatMap((unit) =>
    limit[unit] === undefined ? [] : [`${spent[unit] ?? 0} of ${limit[unit]} ${unit} are spent`],
  );
  return `Raise the budget? ${parts.join(', ')}: ${objective}`;
}

/**
 * Raises the budget as people have approved it: to what was asked for, or to what they wrote instead. The limit rises in
 * the same transaction as the event that says so, once for each approval.
 */
export function createRaiseBudget({ recorder, ledger }: Deps): KernelActivities['raiseBudget'] {
  return async ({ goal, approvalId, editedInput }) => {
    const asked = (await recorder.approval(goal, approvalId))?.input;
    if (!asked) throw new AstraError('ASTRA_INTERNAL', `Nothing was asked by ${approvalId}.`);
    // Made above.
    const { scope, raiseTo } = asked as unknown as BudgetQuestion;
    // The API takes no other; what comes past it is not taken for a limit.
    const limit = (editedInput && budgetAmountsSchema.safeParse(editedInput).data) ?? raiseTo;
    await recorder.record(goal, [draft('budget.raised', { approvalId, scope, limit })]);
    const waiting = await ledger.takeWaiting(goal.tenant, scope);
    return { waiting: waiting.filter((id) => id !== goal.goalId) };
  };
}
