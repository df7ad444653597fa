import { Command, Option } from 'commander';
import type { Webhook, WebhookDelivery } from '@astra/sdk';
import { parseCount } from '../pairs.ts';
import type { Bind, Session } from '../session.ts';
import { takeItems } from '../take-items.ts';
import { formatTime } from '../text/format-time.ts';
import { formatTable } from '../text/table.ts';
import { terminalWidth } from '../text/terminal-width.ts';

const statuses = ['pending', 'delivered', 'failed'] as const satisfies readonly WebhookDelivery['status'][];

async function createWebhook(
  session: Session,
  url: string,
  { events }: { readonly events: readonly string[] },
): Promise<undefined> {
  const webhook = await session.astra.webhooks.create({ url, events: [...events] }, { signal: session.io.signal });
  session.print(webhook, () => [`${webhook.id} created`, `secret ${webhook.secret}`]);
  session.note('Keep the secret: it is not shown again. Receivers verify their messages with it.');
}

async function printWebhooks(session: Session): Promise<undefined> {
  const { astra, io } = session;
  const webhooks = await takeItems(astra.webhooks.all({}, { signal: io.signal }), Number.POSITIVE_INFINITY);
  const row = ({ id, status, events, url }: Webhook) => [id, status, events.join(','), url];
  session.print({ items: webhooks }, () =>
    webhooks.length === 0
      ? ['no webhooks']
      : formatTable(['ID', 'STATUS', 'EVENTS', 'URL'], webhooks.map(row), terminalWidth(io.stdout)),
  );
}

async function deleteWebhook(session: Session, id: string): Promise<undefined> {
  await session.astra.webhooks.delete(id, { signal: session.io.signal });
  session.print({ id, deleted: true }, () => [`${id} deleted`]);
}

interface DeliveryFlags {
  readonly status?: WebhookDelivery['status'];
  readonly limit: number;
}

async function printDeliveries(session: Session, id: string, { status, limit }: DeliveryFlags): Promise<undefined> {
  const { astra, io } = session;
  const filters = { status, limit: Math.min(limit, 500) };
  const deliveries = await takeItems(astra.webhooks.deliveries(id, filters, { signal: io.signal }), limit);
  const time = (at: string | null) => (at === null ? '' : formatTime(at, Date.now()));
  const row = (each: WebhookDelivery) => [
    each.id,
    each.status,
    String(each.attempts),
    each.type,
    time(each.lastAttemptAt),
    time(each.nextAttemptAt),
    each.lastError ?? String(each.lastResponseStatus ?? ''),
  ];
  session.print({ items: deliveries }, () =>
    deliveries.length === 0
      ? ['no deliveries']
      : formatTable(
          ['ID', 'STATUS', 'TRIES', 'EVENT', 'LAST', 'NEXT', 'ANSWER'],
          deliveries.map(row),
          terminalWidth(io.stdout),
        ),
  );
}

async function replayDelivery(session: Session, id: string, deliveryId: string): Promise<undefined> {
  const delivery = await session.astra.webhooks.replay(id, deliveryId, { signal: session.io.signal });
  session.print(delivery, () => [`${deliveryId} is sent again`]);
}

async function rotateSecret(session: Session, id: string): Promise<undefined> {
  const secret = await session.astra.webhooks.rotateSecret(id, { signal: session.io.signal });
  session.print({ secret }, () => [secret]);
  session.note('For a day messages are signed with the one before, too.');
}

async function printCallbackSecret(session: Session): Promise<undefined> {
  const secret = await session.astra.webhooks.callbackSecret({ signal: session.io.signal });
  session.print({ secret }, () => [secret]);
}

const splitList = (text: string): string[] => text.split(',').map((part) => part.trim());

/** `astra webhook …` */
export function createWebhookCommand(bind: Bind): Command {
  const webhook = new Command('webhook').description('have events sent to URLs, and see what became of them');
  webhook
    .command('create <url>')
    .description('send events to a URL; prints the secret that they are signed with')
    .option('--events <globs>', 'which, separated by commas: goal.*, task.failed, *', splitList, ['*'])
    .action(bind(createWebhook));
  webhook
    .command('list')
    .description('list webhooks')
    .action(bind((session) => printWebhooks(session)));
  webhook.command('delete <id>').description('delete a webhook and its log').action(bind(deleteWebhook));
  webhook
    .command('deliveries <id>')
    .description('show what was sent, newest first; for the callbackUrls of goals the id is callback')
    .addOption(new Option('--status <status>', 'only these').choices(statuses))
    .option('-n, --limit <count>', 'how many', parseCount(1), 20)
    .action(bind(printDeliveries));
  webhook.command('replay <id> <deliveryId>').description('send a delivery again').action(bind(replayDelivery));
  webhook
    .command('rotate-secret <id>')
    .description('replace the secret of a webhook, or of callback')
    .action(bind(rotateSecret));
  webhook
    .command('callback-secret')
    .description('print what messages to the callbackUrls of goals are signed with')
    .action(bind((session) => printCallbackSecret(session)));
  return webhook;
}
