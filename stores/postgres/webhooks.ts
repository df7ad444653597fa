import type { Pool } from 'pg';
import { limits } from '../../domain/limits.ts';
import type { Webhook, WebhookDefinition } from '../../domain/schemas/webhook.ts';
import type { SecretBox } from '../../platform/secret-box.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { chunkRows, inChunks, query } from './query.ts';
import { secretNames } from './signing-secrets.ts';

/** What the recorder needs to know of a webhook. */
export interface Subscription {
  readonly tenant: string;
  readonly webhookId: string;
  /** Globs. */
  readonly events: readonly string[];
}

export interface WebhookStore {
  /** Null when there is one of this id, or the tenant has as many as it may. @throws ASTRA_SECRETS_NOT_CONFIGURED */
  create(
    tenant: string,
    webhook: WebhookDefinition & { readonly id: string; readonly secret: string },
  ): Promise<Webhook | null>;
  get(tenant: string, webhookId: string): Promise<Webhook | null>;
  /** Newest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(tenant: string, page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<Page<Webhook>>;
  /** With its secrets and deliveries. False when there was none. */
  delete(tenant: string, webhookId: string): Promise<boolean>;
  /** Of all tenants, those that are enabled. */
  subscriptions(): Promise<readonly Subscription[]>;
}

interface Row {
  readonly webhook_id: string;
  readonly url: string;
  readonly events: string[];
  readonly created_at: Date;
  readonly created: string;
  readonly disabled_at: Date | null;
}

const columns = `webhook_id, url, events, created_at, ${exactTime('created_at')} AS created, disabled_at`;

/** Where tenants want to be told of events. */
export function createWebhookStore(pool: Pool, box: SecretBox): WebhookStore {
  return {
    async create(tenant, { id, url, events, secret }) {
      const name = secretNames.webhook(id);
      const rows = await query<Row>(pool, {
        text: `WITH created AS (
            INSERT INTO webhooks (tenant, webhook_id, url, events, created_at)
            SELECT $1, $2, $3, $4, now() WHERE (SELECT count(*) FROM webhooks WHERE tenant = $1) < ${limits.webhooks}
            ON CONFLICT DO NOTHING RETURNING *
          ), kept AS (
            INSERT INTO secrets (tenant, name, version, sealed) SELECT tenant, $5, 1, $6 FROM created
          )
          SELECT ${columns} FROM created`,
        values: [tenant, id, url, events, name, box.seal(secret, { tenant, name })],
      });
      return rows[0] ? toWebhook(rows[0]) : null;
    },

    async get(tenant, webhookId) {
      const rows = await query<Row>(pool, {
        name: 'webhook-get',
        text: `SELECT ${columns} FROM webhooks WHERE tenant = $1 AND webhook_id = $2`,
        values: [tenant, webhookId],
      });
      return rows[0] ? toWebhook(rows[0]) : null;
    },

    list: (tenant, page) =>
      listNewest<Row, Webhook>(
        pool,
        { table: 'webhooks', columns, order: ['created_at', 'webhook_id'], filters: { tenant } },
        { ...page, item: toWebhook, position: (row) => ({ key: row.created, id: row.webhook_id }) },
      ),

    delete: (tenant, webhookId) => deleteWebhook(pool, { tenant, webhookId }),

    async subscriptions() {
      const rows = await query<{ tenant: string; webhook_id: string; events: string[] }>(pool, {
        name: 'webhook-subscriptions',
        text: 'SELECT tenant, webhook_id, events FROM webhooks WHERE disabled_at IS NULL',
      });
      return rows.map(({ tenant, webhook_id: webhookId, events }) => ({ tenant, webhookId, events }));
    },
  };
}

async function deleteWebhook(
  pool: Pool,
  { tenant, webhookId }: { readonly tenant: string; readonly webhookId: string },
): Promise<boolean> {
  const key = [tenant, webhookId];
  // First, so that nothing more is sent, nor written. Whatever ends this before its end, the next call goes on with it.
  await query(pool, {
    text: 'UPDATE webhooks SET disabled_at = now() WHERE tenant = $1 AND webhook_id = $2',
    values: key,
  });
  await inChunks(pool, {
    text: `DELETE FROM webhook_deliveries WHERE (tenant, delivery_id) IN (
        SELECT tenant, delivery_id FROM webhook_deliveries WHERE tenant = $1 AND webhook_id = $2 LIMIT ${chunkRows}
      ) RETURNING delivery_id`,
    values: key,
  });
  const rows = await query(pool, {
    text: `WITH secrets_too AS (DELETE FROM secrets WHERE tenant = $1 AND name = $3)
      DELETE FROM webhooks WHERE tenant = $1 AND webhook_id = $2 RETURNING webhook_id`,
    values: [...key, secretNames.webhook(webhookId)],
  });
  return rows.length === 1;
}

const toWebhook = (row: Row): Webhook => ({
  id: row.webhook_id,
  url: row.url,
  events: row.events,
  status: row.disabled_at === null ? 'enabled' : 'disabled',
  createdAt: row.created_at.toISOString(),
  disabledAt: row.disabled_at?.toISOString() ?? null,
});
