import { Command } from 'commander';
import type { ParkedSelection, ParkedTask } from '@astra/sdk';
import { collectTexts, parseCount } from '../pairs.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatTime } from '../text/format-time.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

interface ListOptions {
  readonly goal?: string;
  readonly code?: string;
  readonly reason?: ParkedTask['reason'];
  readonly limit: number;
}

async function printTasks(session: Session, { goal, code, reason, limit }: ListOptions): Promise<undefined> {
  const { astra, io } = session;
  const tasks = await takeItems(astra.tasks.all({ goalId: goal, code, reason }, { signal: io.signal }), limit);
  const row = ({ goalId, taskId, tool, attempt, parkedAt, reason, detail, error }: ParkedTask): string[] => [
    goalId,
    taskId,
    tool,
    String(attempt),
    formatTime(parkedAt, Date.now()),
    reason,
    error && reason === 'failed' ? `${error.code}: ${error.message}` : detail,
  ];
  session.print({ items: tasks }, () =>
    tasks.length === 0
      ? ['nothing is parked']
      : formatTable(
          ['GOAL', 'TASK', 'TOOL', 'ATTEMPT', 'PARKED', 'REASON', 'WHY'],
          tasks.map(row),
          terminalWidth(io.stdout),
        ),
  );
}

interface TellOptions {
  readonly goal?: readonly string[];
  readonly code?: string;
  readonly olderThan?: number;
  readonly dryRun?: true;
}

const telling =
  (command: 'retry' | 'discard') =>
  async (session: Session, { goal, code, olderThan, dryRun }: TellOptions): Promise<undefined> => {
    const { astra, io } = session;
    const selection: ParkedSelection = {
      ...(goal && { goalIds: goal }),
      ...(code !== undefined && { code }),
      ...(olderThan !== undefined && { olderThanSeconds: olderThan }),
    };
    const told = await astra.tasks[command](selection, { dryRun, signal: io.signal });
    session.print(told, () => told.tasks.map(({ goalId, taskId }) => `${goalId} ${taskId}`));
    const done = { retry: 'to be tried again', discard: 'to be discarded' }[command];
    session.note(`${told.matched} ${dryRun ? 'would be taken' : done}${told.more ? '; there are more' : ''}`);
  };

/** `astra task …` */
export function createTaskCommand(bind: Bind): Command {
  const task = new Command('task').description('see what is parked, over all goals, and say what becomes of failures');
  task
    .command('list')
    .description('parked tasks, newest first')
    .option('--goal <id>', 'of this goal')
    .option('--code <code>', 'parked with this error')
    .option('--reason <reason>', 'parked for this: failed, budget')
    .option('--limit <n>', 'how many', parseCount(1), 50)
    .action(bind(printTasks));
  const tell = (name: 'retry' | 'discard', description: string): void => {
    task
      .command(name)
      .description(description)
      .option('--goal <id>', 'of this goal; may be repeated', collectTexts)
      .option('--code <code>', 'parked with this error')
      .option('--older-than <seconds>', 'parked for at least so long', parseCount(0))
      .option('--dry-run', 'say which, and do nothing')
      .action(bind(telling(name)));
  };
  tell('retry', 'try again what is parked for a failure: all of it, unless options say which');
  tell('discard', 'let what is parked for a failure fail: all of it, unless options say which');
  return task;
}
