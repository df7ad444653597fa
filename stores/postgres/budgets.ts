import type { ClientBase, Pool, QueryConfig } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { budgetUnits, type BudgetAmounts, type BudgetUnit } from '../../domain/schemas/budget.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { isTransactionConflict, postgresError } from './postgres-error.ts';
import { query } from './query.ts';
import { inTransaction } from './transaction.ts';

/** A call: of a task, or of an item of a map (`each.3`). */
interface Call {
  readonly goal: GoalRef;
  readonly taskId: string;
}

/** A budget that had no room for a call. */
export interface Refusal {
  readonly scope: string;
  readonly unit: BudgetUnit;
  readonly limit: string;
  readonly spent: string;
  /** It would be too much even if nothing else were under way. */
  readonly exhausted: boolean;
}

/** What people are asked: would they raise this budget so far? */
export interface BudgetQuestion {
  readonly scope: string;
  readonly limit: BudgetAmounts;
  readonly spent: BudgetAmounts;
  readonly raiseTo: BudgetAmounts;
}

/**
 * The ledger. A call under way has a reservation in each budget that counts it, or in none; what is reserved and spent
 * together never exceeds a limit as long as no call costs more than it has reserved. Reservations are settled by the
 * commit that records the attempt's end (commit-ledger.ts).
 */
export interface BudgetLedger {
  /**
   * Reserves the amounts in those of `scopes` that have a limit of the unit, in all or in none: then it answers who
   * refused. Once more changes nothing, and a next attempt takes over what its task has reserved.
   * @throws ASTRA_UNAVAILABLE
   */
  reserve(
    call: Call,
    wanted: { readonly attempt: number; readonly scopes: readonly string[]; readonly amounts: BudgetAmounts },
  ): Promise<readonly Refusal[]>;
  /** The attempt that has a reservation; null: none has. @throws ASTRA_UNAVAILABLE */
  reservedBy(call: Call): Promise<number | null>;
  /** Of goals' own budgets the first that tasks of the goal are parked for, if it is still used up. @throws ASTRA_UNAVAILABLE */
  question(goal: GoalRef): Promise<BudgetQuestion | null>;
  /** The goals that have tasks parked for the budget; they are forgotten. @throws ASTRA_UNAVAILABLE */
  takeWaiting(tenant: string, scope: string): Promise<readonly GoalId[]>;
}

/**
 * Locks budgets, in the order of their keys; whoever changes them, or reservations in them, does this first, and in a
 * statement of its own. A statement that waits for a lock goes on with the rows it saw before it waited: of several
 * budgets that had changed meanwhile, one that joined them with others updated only the first (Postgres 18).
 */
export async function lockBudgets(
  client: ClientBase,
  tenants: readonly string[],
  scopes: readonly string[],
): Promise<void> {
  await client.query({
    name: 'budgets-lock',
    text: `SELECT FROM budgets WHERE tenant = ANY ($1::text[]) AND scope = ANY ($2::text[])
      ORDER BY tenant, scope, unit FOR UPDATE`,
    values: [tenants, scopes],
  });
}

/** For budgets that are locked. */
const reserveStatement = `
WITH wanted AS (
  SELECT * FROM unnest($4::text[], $5::numeric[]) AS w(unit, amount)
), earlier AS (
  SELECT scope, unit, amount FROM budget_reservations WHERE tenant = $1 AND goal_id = $2 AND task_id = $3
), counting AS (
  SELECT b.scope, b.unit, b.ceiling, b.reserved, b.spent, w.amount FROM budgets b JOIN wanted w ON w.unit = b.unit
  WHERE b.tenant = $1 AND b.scope = ANY ($6::text[])
), needed AS (
  SELECT c.*, e.amount IS NOT NULL AS is_held, c.amount - coalesce(e.amount, 0) AS more
  FROM counting c LEFT JOIN earlier e ON e.scope = c.scope AND e.unit = c.unit
), refused AS (
  SELECT * FROM needed WHERE reserved + spent + more > ceiling AND NOT (is_held AND more <= 0)
), granted AS (
  SELECT * FROM needed WHERE NOT EXISTS (SELECT FROM refused)
), counted AS (
  UPDATE budgets b SET reserved = b.reserved + g.more FROM granted g
  WHERE b.tenant = $1 AND b.scope = g.scope AND b.unit = g.unit
), taken_over AS (
  UPDATE budget_reservations r SET amount = g.amount, attempt = $7 FROM granted g
  WHERE g.is_held AND r.tenant = $1 AND r.goal_id = $2 AND r.task_id = $3 AND r.scope = g.scope AND r.unit = g.unit
), added AS (
  INSERT INTO budget_reservations (tenant, goal_id, task_id, scope, unit, amount, attempt)
  SELECT $1, $2, $3, scope, unit, amount, $7 FROM granted WHERE NOT is_held
), waiting AS (
  INSERT INTO budget_waiting (tenant, scope, unit, goal_id, amount) SELECT $1, scope, unit, $2, amount FROM refused
  ON CONFLICT (tenant, scope, unit, goal_id) DO UPDATE SET amount = greatest(budget_waiting.amount, excluded.amount)
)
SELECT scope, unit, ceiling::text AS "limit", spent::text, spent + amount > ceiling AS exhausted FROM refused
ORDER BY scope, unit`;

const questionStatement = `
SELECT b.scope, b.unit, b.ceiling::text AS "limit", b.spent::text,
  greatest(b.ceiling + b.original, b.reserved + b.spent + w.amount)::text AS raise_to
FROM budget_waiting w JOIN budgets b ON b.tenant = w.tenant AND b.scope = w.scope AND b.unit = w.unit
WHERE w.tenant = $1 AND w.goal_id = $2 AND w.scope LIKE 'goal:%' AND b.spent + w.amount > b.ceiling
ORDER BY b.scope, b.unit`;

interface QuestionRow {
  readonly scope: string;
  readonly unit: BudgetUnit;
  readonly limit: string;
  readonly spent: string;
  readonly raise_to: string;
}

/** Of those who meet in a deadlock one goes on. */
const maxLosses = 20;

async function reserve(
  pool: Pool,
  { tenant, scopes }: { readonly tenant: string; readonly scopes: readonly string[] },
  { statement, losses = 0 }: { readonly statement: QueryConfig; readonly losses?: number },
): Promise<readonly Refusal[]> {
  try {
    return await inTransaction(pool, async (client) => {
      await lockBudgets(client, [tenant], scopes);
      return (await client.query<Refusal & { unit: BudgetUnit }>(statement)).rows;
    });
  } catch (error) {
    if (!isTransactionConflict(error) || losses >= maxLosses) throw postgresError(error);
    return reserve(pool, { tenant, scopes }, { statement, losses: losses + 1 });
  }
}

export function createBudgetLedger(pool: Pool): BudgetLedger {
  return {
    reserve({ goal, taskId }, { attempt, scopes, amounts }) {
      const wanted = budgetUnits.flatMap((unit) =>
        amounts[unit] === undefined ? [] : [[unit, amounts[unit]] as const],
      );
      const [units, values] = [wanted.map(([unit]) => unit), wanted.map(([, amount]) => amount)];
      const statement = {
        name: 'budget-reserve',
        text: reserveStatement,
        values: [goal.tenant, goal.goalId, taskId, units, values, scopes, attempt],
      };
      return reserve(pool, { tenant: goal.tenant, scopes }, { statement });
    },

    async reservedBy({ goal, taskId }) {
      const rows = await query<{ attempt: number }>(pool, {
        name: 'budget-reserved-by',
        text: `SELECT attempt FROM budget_reservations WHERE tenant = $1 AND goal_id = $2 AND task_id = $3
          ORDER BY attempt DESC LIMIT 1`,
        values: [goal.tenant, goal.goalId, taskId],
      });
      return rows[0]?.attempt ?? null;
    },

    async question({ tenant, goalId }) {
      const rows = await query<QuestionRow>(pool, {
        name: 'budget-question',
        text: questionStatement,
        values: [tenant, goalId],
      });
      const [first] = rows;
      if (!first) return null;
      const { scope } = first;
      const ofScope = rows.filter((row) => row.scope === scope);
      const pick = (name: 'limit' | 'spent' | 'raise_to'): BudgetAmounts =>
        toAmounts(ofScope.map((row) => [row.unit, row[name]]));
      return { scope, limit: pick('limit'), spent: pick('spent'), raiseTo: pick('raise_to') };
    },

    async takeWaiting(tenant, scope) {
      const rows = await query<{ goal_id: GoalId }>(pool, {
        name: 'budget-take-waiting',
        text: 'DELETE FROM budget_waiting WHERE tenant = $1 AND scope = $2 RETURNING goal_id',
        values: [tenant, scope],
      });
      return [...new Set(rows.map((row) => row.goal_id))];
    },
  };
}

/** Amounts as Postgres writes them: money stays text. */
export const toAmounts = (rows: readonly (readonly [unit: BudgetUnit, amount: string])[]): BudgetAmounts =>
  Object.fromEntries(rows.map(([unit, amount]) => [unit, unit === 'usd' ? amount : Number(amount)]));
