import type { BudgetAmounts } from '../../domain/schemas/budget.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { ToolEstimate } from '../../domain/schemas/tool.ts';
import type { BudgetLedger, Refusal } from '../../stores/postgres/budgets.ts';
import type { TaskRef } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolUsage } from '../tools/define-tool.ts';

/** What one attempt costs against the budgets of its goal. */
export interface Account {
  /** Sets aside what the call may cost, in each budget or, when one of them refuses, in none. @throws ASTRA_UNAVAILABLE */
  reserve(estimate: ToolEstimate, timeoutSeconds: number): Promise<readonly Refusal[]>;
  /**
   * To be recorded with the attempt's end, and before it: what is recorded already is not settled again.
   * @param ended.again another attempt follows: the call counts as one task
   */
  settle(used: ToolUsage | null, ended: { readonly again: boolean }): readonly EventDraft[];
}

/** Of a goal that no budget counts. */
export const freeAccount: Account = { reserve: async () => [], settle: () => [] };

interface Deps {
  readonly recorder: Pick<Recorder, 'note'>;
  readonly ledger: Pick<BudgetLedger, 'reserve' | 'reservedBy'>;
}

/** The account of an attempt whose goal is counted in these scopes. @throws ASTRA_UNAVAILABLE */
export async function openAccount(
  { recorder, ledger }: Deps,
  ref: TaskRef,
  { number, scopes }: { readonly number: number; readonly scopes: readonly string[] },
): Promise<Account> {
  // An earlier attempt, which was lost, may have left a reservation: it is taken over, or settled with this one's end.
  const inherits = number > 1 && (await ledger.reservedBy(ref)) !== null;
  const about = { taskId: ref.taskId, attempt: number };
  const beganAt = performance.now();
  let reserved = false;
  return {
    async reserve({ usd = '0', tokens = 0, seconds }, timeoutSeconds) {
      const amounts: BudgetAmounts = { usd, tokens, tasks: 1, seconds: seconds ?? timeoutSeconds };
      const refusals = await ledger.reserve(ref, { attempt: number, scopes, amounts });
      reserved = refusals.length === 0;
      if (reserved) recorder.note(ref.goal, draft('budget.reserved', { amounts, scopes }, about));
      return refusals;
    },
    settle(used, { again }) {
      if (!reserved && !inherits) return [];
      const seconds = Math.round(performance.now() - beganAt) / 1_000;
      const actual = { usd: '0', tokens: 0, ...used, tasks: again ? 0 : 1, seconds };
      return [draft('budget.settled', { actual: reserved ? actual : null }, about)];
    },
  };
}
