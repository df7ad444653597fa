import { budgetUnits, type BudgetAmounts, type BudgetUnit } from '../../../domain/schemas/budget.ts';

type Row = Record<'limit' | 'reserved' | 'spent', number>;

/** What a ledger is to do, said as plainly as it can be: budgets in memory, one caller at a time, whole numbers. */
export interface LedgerModel {
  set(scope: string, limit: BudgetAmounts): void;
  /** @returns the budgets that refuse, as `scope unit`; nothing is reserved then */
  reserve(task: string, scopes: readonly string[], amounts: BudgetAmounts): readonly string[];
  /** @param actual null: what was reserved */
  settle(task: string, actual: BudgetAmounts | null): void;
  isReserved(task: string): boolean;
  row(scope: string, unit: BudgetUnit): Row | undefined;
  rows(): readonly Row[];
}

const numberOf = (amounts: BudgetAmounts, unit: BudgetUnit): number => Number(amounts[unit] ?? 0);

export function createLedgerModel(): LedgerModel {
  const budgets = new Map<string, Row>();
  const reservations = new Map<string, ReadonlyMap<string, number>>();
  const keyOf = (scope: string, unit: BudgetUnit): string => `${scope} ${unit}`;

  return {
    set(scope, limit) {
      for (const unit of budgetUnits) {
        if (limit[unit] === undefined) continue;
        const { reserved = 0, spent = 0 } = budgets.get(keyOf(scope, unit)) ?? {};
        budgets.set(keyOf(scope, unit), { limit: Number(limit[unit]), reserved, spent });
      }
    },
    reserve(task, scopes, amounts) {
      const earlier = reservations.get(task) ?? new Map<string, number>();
      const wanted = new Map(
        scopes.flatMap((scope) =>
          budgetUnits
            .filter((unit) => amounts[unit] !== undefined && budgets.has(keyOf(scope, unit)))
            .map((unit) => [keyOf(scope, unit), numberOf(amounts, unit)] as const),
        ),
      );
      const refusing = [...wanted].filter(([key, amount]) => {
        const { limit = 0, reserved = 0, spent = 0 } = budgets.get(key) ?? {};
        const more = amount - (earlier.get(key) ?? 0);
        return !(earlier.has(key) && more <= 0) && reserved + spent + more > limit;
      });
      if (refusing.length > 0) return refusing.map(([key]) => key).toSorted();
      for (const [key, amount] of wanted) {
        const row = budgets.get(key);
        if (row) row.reserved += amount - (earlier.get(key) ?? 0);
      }
      reservations.set(task, new Map([...earlier, ...wanted]));
      return [];
    },
    settle(task, actual) {
      for (const [key, amount] of reservations.get(task) ?? []) {
        const row = budgets.get(key);
        // The key ends with the unit.
        const unit = key.split(' ').at(-1) as BudgetUnit;
        if (!row) continue;
        row.reserved -= amount;
        row.spent += actual ? numberOf(actual, unit) : amount;
      }
      reservations.delete(task);
    },
    isReserved: (task) => reservations.has(task),
    row: (scope, unit) => budgets.get(keyOf(scope, unit)),
    rows: () => [...budgets.values()],
  };
}
