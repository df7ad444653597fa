import { Command, InvalidArgumentError, Option } from 'commander';
import type { Limit, LimitDefinition } from '@astra/sdk';
import { parseCount } from '../pairs.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

interface SetFlags {
  readonly key: string;
  readonly of: 'goal' | 'task';
  readonly concurrency?: number;
  readonly rate?: LimitDefinition['rate'];
  readonly strategy: LimitDefinition['strategy'];
}

/** `10/60`: ten in a minute. */
function parseRate(text: string): LimitDefinition['rate'] {
  const [, limit, perSeconds] = /^(\d{1,9})\/(\d{1,9}(?:[.]\d+)?)$/.exec(text) ?? [];
  if (limit === undefined) throw new InvalidArgumentError('It must look like 10/60: ten in 60 seconds.');
  return { limit: Number(limit), perSeconds: Number(perSeconds) };
}

const boundsOf = ({ concurrency, rate }: Limit): string =>
  [
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...(rate === undefined ? [] : [`${rate.limit} in ${rate.perSeconds} s`]),
  ].join(', ');

async function printLimits(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const limits = await takeItems(astra.limits.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const row = (limit: Limit) => {
    const { name, of = 'goal', strategy, holding, waiting, key } = limit;
    return [name, of, boundsOf(limit), strategy, String(holding), String(waiting), key];
  };
  session.print({ items: limits }, () =>
    limits.length === 0
      ? ['no limits']
      : formatTable(
          ['NAME', 'OF', 'ALLOWS', 'STRATEGY', 'HOLDING', 'WAITING', 'KEY'],
          limits.map(row),
          terminalWidth(io.stdout),
        ),
  );
}

async function printLimit(session: Session, name: string): Promise<undefined> {
  const limit = await session.astra.limits.get(name, { signal: session.io.signal });
  const { of = 'goal', key, strategy, holding, waiting, updatedAt } = limit;
  const facts = { of, key, allows: boundsOf(limit), strategy, holding, waiting, updated: updatedAt };
  session.print(limit, () => Object.entries(facts).map(([fact, value]) => `${fact.padEnd(8)}  ${value}`));
}

async function setLimit(session: Session, name: string, flags: SetFlags): Promise<undefined> {
  const { key, of, concurrency, rate, strategy } = flags;
  const definition: LimitDefinition = {
    key,
    strategy,
    ...(of === 'task' && { of }),
    ...(concurrency !== undefined && { concurrency }),
    ...(rate && { rate }),
  };
  const limit = await session.astra.limits.put(name, definition, { signal: session.io.signal });
  session.print(limit, () => [`${name} set: ${boundsOf(limit)}`]);
}

async function deleteLimit(session: Session, name: string): Promise<undefined> {
  await session.astra.limits.delete(name, { signal: session.io.signal });
  session.print({ name, deleted: true }, () => [`${name} deleted`]);
}

/** `astra limit …` */
export function createLimitCommand(bind: Bind): Command {
  const limit = new Command('limit').description('bound how much goes on at once, and begins in a time');
  limit
    .command('list')
    .description('list limits, with what holds and wants their places')
    .action(bind((session) => printLimits(session)));
  limit.command('get <name>').description('show a limit').action(bind(printLimit));
  limit
    .command('set <name>')
    .description('create or change a limit; in force within a second')
    .requiredOption(
      '--key <expression>',
      "CEL whose value names what is counted together, such as goal.labels.customer or 'all'",
    )
    .addOption(new Option('--of <what>', 'what is counted').choices(['goal', 'task']).default('goal'))
    .option('--concurrency <count>', 'at once', parseCount(1))
    .option('--rate <limit/seconds>', 'that begin in a time, such as 10/60', parseRate)
    .addOption(
      new Option('--strategy <strategy>', 'beyond it').choices(['queue', 'reject', 'cancel_oldest']).default('queue'),
    )
    .action(bind(setLimit));
  limit.command('delete <name>').description('delete a limit; what waits for it begins').action(bind(deleteLimit));
  return limit;
}
