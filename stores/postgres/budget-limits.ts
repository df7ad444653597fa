import type { Pool } from 'pg';
import { budgetUnits, type Budget, type BudgetAmounts, type BudgetUnit } from '../../domain/schemas/budget.ts';
import { toAmounts } from './budgets.ts';
import { query } from './query.ts';

export interface BudgetLimits {
  /** Without a unit: nothing is limited. */
  get(tenant: string, scope: string): Promise<Budget>;
  /** Sets the limits; a unit that is left out is no longer limited, nor counted. Durable when it resolves. */
  put(tenant: string, scope: string, limit: BudgetAmounts): Promise<void>;
  /** Of all tenants, the budgets that are not a goal's: a handful. */
  standing(): Promise<readonly { readonly tenant: string; readonly scope: string }[]>;
}

interface Row {
  readonly unit: BudgetUnit;
  readonly ceiling: string;
  readonly reserved: string;
  readonly spent: string;
}

/** What may be spent, as people set it. @throws (from its methods) ASTRA_UNAVAILABLE */
export function createBudgetLimits(pool: Pool): BudgetLimits {
  return {
    async get(tenant, scope) {
      const rows = await query<Row>(pool, {
        name: 'budget-get',
        text: `SELECT unit, ceiling::text, reserved::text, spent::text FROM budgets WHERE tenant = $1 AND scope = $2`,
        values: [tenant, scope],
      });
      const ofUnit = new Map(rows.map((row) => [row.unit, row]));
      const pick = (name: 'ceiling' | 'reserved' | 'spent'): BudgetAmounts =>
        toAmounts(
          budgetUnits.flatMap((unit) => {
            const row = ofUnit.get(unit);
            return row ? [[unit, row[name]] as const] : [];
          }),
        );
      return { scope, limit: pick('ceiling'), reserved: pick('reserved'), spent: pick('spent') };
    },

    async put(tenant, scope, limit) {
      const set = budgetUnits.filter((unit) => limit[unit] !== undefined);
      await query(pool, {
        text: `WITH dropped AS (
            DELETE FROM budgets WHERE tenant = $1 AND scope = $2 AND unit <> ALL ($3::text[])
          ), unreserved AS (
            DELETE FROM budget_reservations WHERE tenant = $1 AND scope = $2 AND unit <> ALL ($3::text[])
          )
          INSERT INTO budgets (tenant, scope, unit, ceiling, original, reserved, spent)
          SELECT $1, $2, unit, amount, amount, 0, 0 FROM unnest($3::text[], $4::numeric[]) AS w(unit, amount) ORDER BY unit
          ON CONFLICT (tenant, scope, unit) DO UPDATE SET ceiling = excluded.ceiling, original = excluded.original`,
        values: [tenant, scope, set, set.map((unit) => limit[unit])],
      });
    },

    standing: () =>
      query(pool, {
        name: 'budgets-standing',
        text: `SELECT DISTINCT tenant, scope FROM budgets WHERE scope NOT LIKE 'goal:%'`,
      }),
  };
}
