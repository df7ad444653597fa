import { Command } from 'commander';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatJson } from '../text/format-json.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

async function printTools(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const tools = await takeItems(astra.tools.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const rows = tools.map(({ name, effect, risk, description }) => [name, effect, risk, description]);
  session.print({ items: tools }, () =>
    formatTable(['NAME', 'EFFECT', 'RISK', 'DESCRIPTION'], rows, terminalWidth(io.stdout)),
  );
}

async function printTool(session: Session, name: string): Promise<undefined> {
  const tool = await session.astra.tools.get(name, { signal: session.io.signal });
  session.print(tool, () => [formatJson(tool)]);
}

/** `astra tool …` */
export function createToolCommand(bind: Bind): Command {
  const tool = new Command('tool').description('see what tasks can do');
  tool
    .command('list')
    .description('list tools')
    .action(bind((session) => printTools(session)));
  tool
    .command('get <name>')
    .description('print a tool’s manifest: its input, output and limits')
    .action(bind(printTool));
  return tool;
}
