import { Command } from 'commander';
import type { Template } from '@astra/sdk';
import type { ExitCode } from '../exit-codes.ts';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { addSubmitFlags, mergeObject, submitGoal, type SubmitFlags } from '../submit-goal.ts';
import { takeItems } from '../take-items.ts';
import { formatJson } from '../text/format-json.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';
import { UsageError } from '../usage-error.ts';

async function printTemplates(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const templates = await takeItems(astra.templates.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  session.print({ items: templates }, () =>
    templates.length === 0
      ? ['no templates']
      : formatTable(
          ['NAME', 'DESCRIPTION'],
          templates.map(({ name, description }) => [name, description]),
          terminalWidth(io.stdout),
        ),
  );
}

async function printTemplate(session: Session, name: string): Promise<undefined> {
  const template = await session.astra.templates.get(name, { signal: session.io.signal });
  session.print(template, () => [formatJson(template)]);
}

async function applyTemplate(session: Session, file: string): Promise<undefined> {
  const definition = await readJsonObject(file, session.io);
  if (typeof definition.name !== 'string') throw new UsageError(`${file} must have a "name", such as "repo-report"`);
  // The API parses the rest, and points at whatever is wrong with it.
  const template = await session.astra.templates.put(definition as Template, { signal: session.io.signal });
  session.print(template, () => [`${template.name} applied`]);
}

async function deleteTemplate(session: Session, name: string): Promise<undefined> {
  await session.astra.templates.delete(name, { signal: session.io.signal });
  session.print({ name, deleted: true }, () => [`${name} deleted`]);
}

async function runTemplate(session: Session, name: string, flags: SubmitFlags): Promise<ExitCode> {
  const params = (await mergeObject(session, flags.paramsFile, flags.param)) ?? {};
  return submitGoal(session, { template: { name, params } }, flags);
}

/** `astra template …` */
export function createTemplateCommand(bind: Bind): Command {
  const template = new Command('template').description('keep plans with parameters, and run them');
  template
    .command('list')
    .description('list templates')
    .action(bind((session) => printTemplates(session)));
  template.command('get <name>').description('print a template').action(bind(printTemplate));
  template
    .command('apply <file>')
    .description('create or replace the template in a JSON file (- is standard input)')
    .action(bind(applyTemplate));
  template
    .command('delete <name>')
    .description('delete a template; goals made from it go on')
    .action(bind(deleteTemplate));
  addSubmitFlags(template.command('run <name>').description('submit a goal from a template')).action(bind(runTemplate));
  return template;
}
