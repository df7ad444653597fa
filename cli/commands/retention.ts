import { Command, InvalidArgumentError } from 'commander';
import type { Retention } from '@astra/sdk';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { formatTable } from '../text/table.ts';
import { UsageError } from '../usage-error.ts';

type Rule = NonNullable<Retention['completed']>;
interface RuleFlags {
  readonly completed?: Rule;
  readonly failed?: Rule;
  readonly cancelled?: Rule;
}
const statuses = ['completed', 'failed', 'cancelled'] as const;

const printPolicy = (session: Session, policy: Retention): void =>
  session.print(policy, () =>
    formatTable(
      ['STATUS', 'KEPT FOR', 'THEN'],
      statuses.map((status) => {
        const rule = policy[status];
        if (!rule) return [status, 'ever', '-'];
        return [status, `${rule.days} days`, rule.archive ? 'archived and deleted' : 'deleted'];
      }),
    ),
  );

async function getRetention(session: Session): Promise<undefined> {
  printPolicy(session, await session.astra.retention.get({ signal: session.io.signal }));
}

async function setRetention(session: Session, file: string | undefined, flags: RuleFlags): Promise<undefined> {
  const { completed, failed, cancelled } = flags;
  if (file !== undefined && (completed ?? failed ?? cancelled)) throw new UsageError('give a file or flags, not both');
  // The API parses it, and points at whatever is wrong with it.
  const policy = file === undefined ? flags : ((await readJsonObject(file, session.io)) as Retention);
  printPolicy(session, await session.astra.retention.set(policy, { signal: session.io.signal }));
}

/** `30` or `30,archive`. */
function parseRule(text: string): Rule {
  const [, days, archive] = /^(\d{1,5})(,archive)?$/.exec(text) ?? [];
  if (days === undefined) throw new InvalidArgumentError('It must look like 30, or 30,archive.');
  return { days: Number(days), archive: archive !== undefined };
}

/** `astra retention …` */
export function createRetentionCommand(bind: Bind): Command {
  const retention = new Command('retention').description('say how long goals are kept');
  retention.command('get').description('show how long goals are kept').action(bind(getRetention));
  retention
    .command('set [file]')
    .description('replace the policy, by flags or by a JSON file (- is standard input); without any all goals are kept')
    .option('--completed <days[,archive]>', 'delete completed goals after so many days', parseRule)
    .option('--failed <days[,archive]>', 'delete failed goals', parseRule)
    .option('--cancelled <days[,archive]>', 'delete cancelled goals', parseRule)
    .action(bind(setRetention));
  return retention;
}
