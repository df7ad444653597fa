import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { createDispatcher } from '../activities/notifications/dispatcher.ts';
import { createOutbox } from '../activities/notifications/outbox.ts';
import { createSendDelivery, type Attempt } from '../activities/notifications/send-delivery.ts';
import type { FindDeliveries } from '../activities/projection/fold.ts';
import type { EgressPolicy } from '../activities/tools/egress-policy.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { createSecretBox, type SecretBox } from '../platform/secret-box.ts';
import { createDeliveryQueue } from '../stores/postgres/delivery-queue.ts';
import { createPool } from '../stores/postgres/pool.ts';
import { createSigningSecrets } from '../stores/postgres/signing-secrets.ts';
import { createWebhookStore } from '../stores/postgres/webhooks.ts';
import { announceWebhookChange, createWebhookSubscriptions } from '../stores/webhook-subscriptions.ts';

/** Of its own: however much is to be sent, no commit waits for a connection. */
const maxConnections = 3;

interface NotificationParts {
  readonly config: Pick<
    Config,
    'ASTRA_SECRETS_KEY' | 'ASTRA_WEBHOOK_LOG_DAYS' | 'ASTRA_WORKER_CLASSES' | 'DATABASE_URL'
  >;
  readonly pool: Pool;
  readonly redis: Redis;
  readonly egress: EgressPolicy;
  readonly logger: Logger;
  readonly onAttempted: (outcome: Attempt['outcome']) => void;
}

/** What a worker has of webhooks. */
export interface Notifications {
  readonly findDeliveries: FindDeliveries;
  /** There may be something to send. */
  wake(): void;
  close(): Promise<void>;
}

/**
 * Sends what is in the outbox where the process has the class `kernel`; every worker writes to it.
 * @throws ASTRA_UNAVAILABLE when it cannot be read which webhooks there are: what was recorded then, nobody would be told
 */
export async function createNotifications(parts: NotificationParts): Promise<Notifications> {
  const { config, pool, redis, logger } = parts;
  const box = createSecretBox(config.ASTRA_SECRETS_KEY);
  const subscriptions = createWebhookSubscriptions({ store: createWebhookStore(pool, box), redis }, { logger });
  await subscriptions.loaded;
  const sender = config.ASTRA_WORKER_CLASSES.has('kernel') ? createSender(parts, box) : null;
  return {
    findDeliveries: createOutbox(subscriptions),
    wake: () => sender?.dispatcher.wake(),
    async close() {
      subscriptions.close();
      await sender?.dispatcher.close();
      await sender?.pool.end();
    },
  };
}

function createSender({ config, redis, egress, logger, onAttempted }: NotificationParts, box: SecretBox) {
  const pool = createPool(config, { maxConnections, logger });
  const dispatcher = createDispatcher({
    queue: createDeliveryQueue(pool),
    send: createSendDelivery({ egress, secrets: createSigningSecrets(pool, box) }),
    logDays: config.ASTRA_WEBHOOK_LOG_DAYS,
    onDisabled: () => void announceWebhookChange(redis),
    onAttempted,
    logger,
  });
  return { dispatcher, pool };
}
