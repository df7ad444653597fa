import type { GoalEvent, TaskProgress } from '@astra/sdk';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';
import { clean, truncate } from '../text/clean.ts';
import { formatJson } from '../text/format-json.ts';
import { terminalWidth } from '../text/terminal-width.ts';

interface Flags {
  readonly follow?: true;
  readonly live?: true;
  readonly from: number;
}

async function* recorded(session: Session, id: string, from: number): AsyncGenerator<GoalEvent> {
  for await (const event of session.astra.goals.history(id, { signal: session.io.signal }))
    if (event.seq >= from) yield event;
}

function formatEvent(event: GoalEvent | TaskProgress, width: number): string {
  if (event.type === 'task.progress')
    return truncate(`${''.padStart(6)}  ${event.at}  ${event.taskId} ${event.stream}: ${clean(event.text)}`, width);
  const { seq, at, type, taskId, data } = event;
  const subject = taskId === null ? '' : ` ${taskId}`;
  return truncate(
    clean(`${String(seq).padStart(6, '\u00A0')}  ${at}  ${type}${subject}  ${formatJson(data, 0)}`),
    width,
  );
}

/** One event a line. */
export async function printEvents(session: Session, id: string, { follow, live, from }: Flags): Promise<ExitCode> {
  const { astra, io, json } = session;
  const width = terminalWidth(io.stdout) ?? Number.POSITIVE_INFINITY;
  const options = { fromSeq: from, signal: io.signal };
  const followed = live ? astra.goals.events(id, { ...options, live }) : astra.goals.events(id, options);
  for await (const event of follow ? followed : recorded(session, id, from)) {
    io.stdout.write(`${json ? formatJson(event, 0) : formatEvent(event, width)}\n`);
  }
  return exitCodes.completed;
}
