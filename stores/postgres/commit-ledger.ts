import type { ClientBase } from 'pg';
import { budgetUnits, type BudgetAmounts } from '../../domain/schemas/budget.ts';
import type { GoalWrite, LedgerWrite } from '../goal-write.ts';
import { lockBudgets } from './budgets.ts';

/**
 * What a commit does to the budgets, in one transaction with the events that say so: it opens those of new goals, settles
 * reservations and raises limits. A reservation that is gone was settled before; a limit is never lowered. A budget is
 * updated once, for all that the group has to say of it: Postgres takes no second update of a row in one statement. The
 * budgets are locked before: see `lockLedger`.
 */
export const ledgerClauses = `
opened AS (
  INSERT INTO budgets (tenant, scope, unit, ceiling, original, reserved, spent)
  SELECT o.tenant, o.scope, o.unit, o.amount, o.amount, 0, 0
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::numeric[]) AS o(tenant, goal_id, scope, unit, amount)
  JOIN done ON done.tenant = o.tenant AND done.goal_id = o.goal_id
  ON CONFLICT DO NOTHING
), settlements AS (
  SELECT s.* FROM unnest($6::text[], $7::text[], $8::text[], $9::numeric[], $10::numeric[], $11::numeric[], $12::numeric[])
    AS s(tenant, goal_id, task_id, usd, tokens, tasks, seconds)
  JOIN done ON done.tenant = s.tenant AND done.goal_id = s.goal_id
), closed AS (
  DELETE FROM budget_reservations r USING settlements s
  WHERE r.tenant = s.tenant AND r.goal_id = s.goal_id AND r.task_id = s.task_id
  RETURNING r.tenant, r.scope, r.unit, r.amount, coalesce(
    CASE r.unit WHEN 'usd' THEN s.usd WHEN 'tokens' THEN s.tokens WHEN 'tasks' THEN s.tasks ELSE s.seconds END,
    r.amount) AS actual
), raises AS (
  SELECT r.tenant, r.scope, r.unit, r.amount
  FROM unnest($13::text[], $14::text[], $15::text[], $16::text[], $17::numeric[]) AS r(tenant, goal_id, scope, unit, amount)
  JOIN done ON done.tenant = r.tenant AND done.goal_id = r.goal_id
), changes AS (
  SELECT tenant, scope, unit, sum(amount) AS amount, sum(actual) AS actual, max(ceiling) AS ceiling FROM (
    SELECT tenant, scope, unit, amount, actual, NULL AS ceiling FROM closed
    UNION ALL SELECT tenant, scope, unit, 0, 0, amount FROM raises
  ) AS each GROUP BY tenant, scope, unit
), counted AS (
  UPDATE budgets b SET reserved = b.reserved - c.amount, spent = b.spent + c.actual,
    ceiling = greatest(b.ceiling, c.ceiling)
  FROM changes c WHERE b.tenant = c.tenant AND b.scope = c.scope AND b.unit = c.unit
)`;

/** Locks the budgets that the writes change, before the goals. @throws what pg throws */
export async function lockLedger(client: ClientBase, writes: readonly GoalWrite[]): Promise<void> {
  const settled = writes.flatMap(({ goal, ledger }) => (ledger?.settled ?? []).map((each) => ({ ...goal, ...each })));
  const { rows } = await client.query<{ scope: string }>({
    name: 'ledger-scopes',
    text: `SELECT DISTINCT r.scope FROM budget_reservations r
      JOIN unnest($1::text[], $2::text[], $3::text[]) AS s(tenant, goal_id, task_id)
        ON r.tenant = s.tenant AND r.goal_id = s.goal_id AND r.task_id = s.task_id`,
    values: [settled.map((row) => row.tenant), settled.map((row) => row.goalId), settled.map((row) => row.taskId)],
  });
  const raised = writes.flatMap(({ ledger }) => (ledger?.raised ?? []).map(({ scope }) => scope));
  const tenants = new Set(writes.flatMap(({ goal, ledger }) => (ledger ? [goal.tenant] : [])));
  await lockBudgets(client, [...tenants], [...new Set([...rows.map(({ scope }) => scope), ...raised])]);
}

/** A row for each unit that has an amount. */
const byUnit = (amounts: BudgetAmounts): readonly { readonly unit: string; readonly amount: string | number }[] =>
  budgetUnits.flatMap((unit) => {
    const amount = amounts[unit];
    return amount === undefined ? [] : [{ unit, amount }];
  });

/** The parameters of the clauses, in their order: from $1 on. */
export function ledgerColumns(writes: readonly GoalWrite[]): unknown[] {
  const ofGoals = <T extends object>(rowsOf: (ledger: LedgerWrite) => readonly T[]) =>
    writes.flatMap(({ goal, ledger }) => (ledger ? rowsOf(ledger).map((row) => ({ ...goal, ...row })) : []));
  const limits = (rowsOf: (ledger: LedgerWrite) => readonly { scope: string; limit: BudgetAmounts }[]): unknown[] => {
    const rows = ofGoals((ledger) =>
      rowsOf(ledger).flatMap(({ scope, limit }) => byUnit(limit).map((row) => ({ scope, ...row }))),
    );
    return (['tenant', 'goalId', 'scope', 'unit', 'amount'] as const).map((name) => rows.map((row) => row[name]));
  };
  const settled = ofGoals((ledger) => ledger.settled);
  return [
    ...limits(({ opened }) => (opened ? [opened] : [])),
    settled.map(({ tenant }) => tenant),
    settled.map(({ goalId }) => goalId),
    settled.map(({ taskId }) => taskId),
    // A unit that nothing is said of costs nothing, and nothing is known at all of an attempt that was lost.
    ...budgetUnits.map((unit) => settled.map(({ actual }) => (actual ? (actual[unit] ?? 0) : null))),
    ...limits(({ raised }) => raised),
  ];
}
