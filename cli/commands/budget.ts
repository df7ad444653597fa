import { Command, InvalidArgumentError } from 'commander';
import type { Budget, BudgetAmounts, BudgetScope } from '@astra/sdk';
import { parseCount } from '../pairs.ts';
import type { Bind, Session } from '../session.ts';
import { formatTable } from '../text/table.ts';

const units = ['usd', 'tokens', 'tasks', 'seconds'] as const satisfies readonly (keyof BudgetAmounts)[];

function parseUsd(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an amount such as 1.50.');
}

function printBudget(session: Session, budget: Budget): void {
  const { scope, limit, reserved, spent } = budget;
  const rows = units
    .filter((unit) => limit[unit] !== undefined)
    .map((unit) => [unit, String(limit[unit]), String(reserved[unit] ?? 0), String(spent[unit] ?? 0)]);
  session.print(budget, () =>
    rows.length === 0 ? [`${scope} has no limit`] : formatTable(['UNIT', 'LIMIT', 'RESERVED', 'SPENT'], rows),
  );
}

async function getBudget(session: Session, scope: string): Promise<undefined> {
  // The API knows what a scope is, and says so.
  const named = scope as BudgetScope;
  printBudget(session, await session.astra.budgets.get(named, { signal: session.io.signal }));
}

async function setBudget(session: Session, scope: string, limit: BudgetAmounts): Promise<undefined> {
  const { astra, io } = session;
  // See above.
  const named = scope as 'tenant';
  printBudget(session, await astra.budgets.set(named, limit, { signal: io.signal }));
}

/** `astra budget …` */
export function createBudgetCommand(bind: Bind): Command {
  const budget = new Command('budget').description('see and set what goals may spend');
  budget
    .command('get <scope>')
    .description('limits, what is reserved and what is spent: of tenant, agent:<id> or goal:<goal id>')
    .action(bind(getBudget));
  budget
    .command('set <scope>')
    .description('set the limits of tenant or agent:<id>; units that are left out have none any more')
    .option('--usd <amount>', 'money, such as 12.50', parseUsd)
    .option('--tokens <n>', 'model tokens', parseCount(0))
    .option('--tasks <n>', 'tool calls', parseCount(0))
    .option('--seconds <n>', 'time that tool calls take, together', parseCount(0))
    .action(bind(setBudget));
  return budget;
}
