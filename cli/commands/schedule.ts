import { Command } from 'commander';
import type { Schedule, ScheduleDefinition } from '@astra/sdk';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { clean } from '../text/clean.ts';
import { formatTime } from '../text/format-time.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

const timingOf = ({ cron, everySeconds, timezone }: Schedule): string =>
  cron === null ? `every ${everySeconds} s` : `${cron} ${timezone}`;

async function printSchedules(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const schedules = await takeItems(astra.schedules.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const row = (schedule: Schedule) => {
    const [next] = schedule.nextRuns;
    const when = schedule.paused ? 'paused' : next === undefined ? '' : formatTime(next, Date.now());
    return [schedule.name, timingOf(schedule), schedule.overlap, when, schedule.recentRuns.at(-1)?.goalId ?? ''];
  };
  session.print({ items: schedules }, () =>
    schedules.length === 0
      ? ['no schedules']
      : formatTable(['NAME', 'WHEN', 'OVERLAP', 'NEXT', 'LATEST GOAL'], schedules.map(row), terminalWidth(io.stdout)),
  );
}

function describeSchedule(schedule: Schedule): string[] {
  const { name, overlap, jitterSeconds, paused, note, nextRuns, recentRuns } = schedule;
  return [
    `${name}  ${timingOf(schedule)}`,
    `  overlap   ${overlap}${jitterSeconds > 0 ? `, up to ${jitterSeconds} s late` : ''}`,
    ...(paused ? [`  paused    ${clean(note ?? '')}`] : []),
    ...nextRuns.slice(0, 5).map((time) => `  next      ${time}`),
    ...recentRuns.map(({ scheduledAt, goalId }) => `  ran       ${scheduledAt} ${goalId}`),
  ];
}

async function printSchedule(session: Session, name: string): Promise<undefined> {
  const schedule = await session.astra.schedules.get(name, { signal: session.io.signal });
  session.print(schedule, () => describeSchedule(schedule));
}

async function createSchedule(
  session: Session,
  file: string,
  { replace }: { readonly replace?: true },
): Promise<undefined> {
  const { astra, io } = session;
  // The API parses it, and points at whatever is wrong with it.
  const definition = (await readJsonObject(file, io)) as unknown as ScheduleDefinition;
  const options = { signal: io.signal };
  const schedule = await (replace
    ? astra.schedules.replace(definition, options)
    : astra.schedules.create(definition, options));
  session.print(schedule, () => describeSchedule(schedule));
}

const pausing =
  (command: 'pause' | 'resume') =>
  async (session: Session, name: string, { reason }: { readonly reason?: string }): Promise<undefined> => {
    const schedule = await session.astra.schedules[command](name, { reason, signal: session.io.signal });
    session.print(schedule, () => [`${name} ${schedule.paused ? 'paused' : 'goes on'}`]);
  };

async function triggerSchedule(session: Session, name: string): Promise<undefined> {
  const schedule = await session.astra.schedules.trigger(name, { signal: session.io.signal });
  session.print(schedule, () => [`${name} triggered`]);
  session.note(`its goal shows in a moment: npx astra schedule get ${name}`);
}

interface BackfillFlags {
  readonly from: string;
  readonly to: string;
  readonly dryRun?: true;
}

async function backfillSchedule(
  session: Session,
  name: string,
  { from, to, dryRun }: BackfillFlags,
): Promise<undefined> {
  const { astra, io } = session;
  const answer = await astra.schedules.backfill(name, { from, to }, { dryRun, signal: io.signal });
  session.print(answer, () => answer.times);
  session.note(dryRun ? `${answer.times.length} times would run` : `${answer.times.length} times run now`);
}

async function deleteSchedule(session: Session, name: string): Promise<undefined> {
  await session.astra.schedules.delete(name, { signal: session.io.signal });
  session.print({ name, deleted: true }, () => [`${name} deleted`]);
}

/** `astra schedule …` */
export function createScheduleCommand(bind: Bind): Command {
  const schedule = new Command('schedule').description('start goals at times');
  schedule
    .command('create <file>')
    .description('create the schedule in a JSON file (- is standard input)')
    .option('--replace', 'replace the one of this name')
    .action(bind(createSchedule));
  schedule
    .command('list')
    .description('list schedules with their next and latest runs')
    .action(bind((session) => printSchedules(session)));
  schedule.command('get <name>').description('show a schedule and its runs').action(bind(printSchedule));
  for (const command of ['pause', 'resume'] as const) {
    schedule
      .command(`${command} <name>`)
      .description(command === 'pause' ? 'start nothing until it is resumed' : 'go on')
      .option('--reason <text>', 'for those who look')
      .action(bind(pausing(command)));
  }
  schedule
    .command('trigger <name>')
    .description('start a goal of it now')
    .action(bind((session, name: string) => triggerSchedule(session, name)));
  schedule
    .command('backfill <name>')
    .description('run its times in a range, now')
    .requiredOption('--from <time>', 'such as 2026-12-01T00:00:00Z')
    .requiredOption('--to <time>', 'both ends belong to it')
    .option('--dry-run', 'only print the times')
    .action(bind(backfillSchedule));
  schedule
    .command('delete <name>')
    .description('delete a schedule; goals that it started go on')
    .action(bind(deleteSchedule));
  return schedule;
}
