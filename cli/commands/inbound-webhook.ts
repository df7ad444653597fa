import { Command } from 'commander';
import type { InboundWebhook, InboundWebhookDefinition } from '@astra/sdk';
import { readJsonObject } from '../read-input.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatJson } from '../text/format-json.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

/** From a file: a command line with a secret is seen by others on the machine, and kept in histories. */
async function readDefinition(session: Session, file: string): Promise<InboundWebhookDefinition> {
  // The API parses it, and points at whatever is wrong with it.
  return (await readJsonObject(file, session.io)) as unknown as InboundWebhookDefinition;
}

async function createInboundWebhook(session: Session, file: string): Promise<undefined> {
  const definition = await readDefinition(session, file);
  const webhook = await session.astra.inboundWebhooks.create(definition, { signal: session.io.signal });
  session.print(webhook, () => [`${webhook.id} created`, `send messages to ${webhook.url}`]);
}

async function replaceInboundWebhook(session: Session, id: string, file: string): Promise<undefined> {
  const definition = await readDefinition(session, file);
  const webhook = await session.astra.inboundWebhooks.replace(id, definition, { signal: session.io.signal });
  session.print(webhook, () => [`${id} replaced`]);
}

async function printInboundWebhooks(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const webhooks = await takeItems(astra.inboundWebhooks.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const row = ({ id, template, signature, name }: InboundWebhook) => [id, template, signature.scheme, name];
  session.print({ items: webhooks }, () =>
    webhooks.length === 0
      ? ['no inbound webhooks']
      : formatTable(['ID', 'TEMPLATE', 'SIGNED', 'NAME'], webhooks.map(row), terminalWidth(io.stdout)),
  );
}

async function printInboundWebhook(session: Session, id: string): Promise<undefined> {
  const webhook = await session.astra.inboundWebhooks.get(id, { signal: session.io.signal });
  session.print(webhook, () => [formatJson(webhook)]);
}

async function deleteInboundWebhook(session: Session, id: string): Promise<undefined> {
  await session.astra.inboundWebhooks.delete(id, { signal: session.io.signal });
  session.print({ id, deleted: true }, () => [`${id} deleted`]);
}

/** `astra inbound-webhook …` */
export function createInboundWebhookCommand(bind: Bind): Command {
  const webhook = new Command('inbound-webhook').description('let signed messages from outside start goals');
  webhook
    .command('create <file>')
    .description('create the inbound webhook in a JSON file (- is standard input); prints where messages are sent to')
    .action(bind(createInboundWebhook));
  webhook
    .command('list')
    .description('list inbound webhooks')
    .action(bind((session) => printInboundWebhooks(session)));
  webhook.command('get <id>').description('print an inbound webhook').action(bind(printInboundWebhook));
  webhook
    .command('replace <id> <file>')
    .description('replace all of it but its URL by what is in a JSON file')
    .action(bind(replaceInboundWebhook));
  webhook
    .command('delete <id>')
    .description('delete it; goals that it has started go on')
    .action(bind(deleteInboundWebhook));
  return webhook;
}
