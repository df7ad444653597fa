import type { Pool } from 'pg';
import { limits } from '../../domain/limits.ts';
import type { InboundWebhook, InboundWebhookDefinition } from '../../domain/schemas/inbound-webhook.ts';
import type { SecretBox } from '../../platform/secret-box.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { query } from './query.ts';
import { secretNames } from './signing-secrets.ts';

/** Its URL depends on where the API is reached. */
export type StoredInboundWebhook = Omit<InboundWebhook, 'url'>;
/** With all that it takes to answer a message. */
export interface OpenedInboundWebhook {
  readonly tenant: string;
  readonly webhook: StoredInboundWebhook;
  readonly secret: string;
}

export interface InboundWebhookStore {
  /** Null when there is one of this id, or the tenant has as many as it may. @throws ASTRA_SECRETS_NOT_CONFIGURED */
  create(
    tenant: string,
    webhook: InboundWebhookDefinition & { readonly id: string },
  ): Promise<StoredInboundWebhook | null>;
  /** Null when there is none. @throws ASTRA_SECRETS_NOT_CONFIGURED */
  replace(
    tenant: string,
    webhook: InboundWebhookDefinition & { readonly id: string },
  ): Promise<StoredInboundWebhook | null>;
  get(tenant: string, webhookId: string): Promise<StoredInboundWebhook | null>;
  /** Newest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<StoredInboundWebhook>>;
  /** With its secret. False when there was none. */
  delete(tenant: string, webhookId: string): Promise<boolean>;
  /** Of whichever tenant: who calls names none. @throws ASTRA_SECRETS_NOT_CONFIGURED */
  open(webhookId: string): Promise<OpenedInboundWebhook | null>;
}

interface Row {
  readonly tenant: string;
  readonly webhook_id: string;
  readonly name: string;
  readonly template: string;
  readonly params: string;
  readonly scheme: InboundWebhook['signature']['scheme'];
  readonly created_at: Date;
  readonly created: string;
  readonly updated_at: Date;
}

const columns = `tenant, webhook_id, name, template, params, scheme, created_at, ${exactTime('created_at')} AS created,
  updated_at`;

/** $1 to $6: tenant, id, and what it is defined by. */
const insert = `INSERT INTO inbound_webhooks (tenant, webhook_id, name, template, params, scheme, created_at, updated_at)
  SELECT $1, $2, $3, $4, $5, $6, now(), now()
  WHERE (SELECT count(*) FROM inbound_webhooks WHERE tenant = $1) < ${limits.webhooks} ON CONFLICT DO NOTHING`;
const update = `UPDATE inbound_webhooks SET name = $3, template = $4, params = $5, scheme = $6, updated_at = now()
  WHERE tenant = $1 AND webhook_id = $2`;

/** By which tenants let others start their goals. */
export function createInboundWebhookStore(pool: Pool, box: SecretBox): InboundWebhookStore {
  /** With its secret, or neither. */
  async function put(
    statement: string,
    tenant: string,
    { id, name, template, params, signature }: InboundWebhookDefinition & { readonly id: string },
  ): Promise<StoredInboundWebhook | null> {
    const secretName = secretNames.inboundWebhook(id);
    const sealed = box.seal(signature.secret, { tenant, name: secretName });
    const rows = await query<Row>(pool, {
      text: `WITH put AS (${statement} RETURNING *), kept AS (
          INSERT INTO secrets (tenant, name, version, sealed) SELECT tenant, $7, 1, $8 FROM put
          ON CONFLICT (tenant, name, version) DO UPDATE SET sealed = excluded.sealed
        )
        SELECT ${columns} FROM put`,
      values: [tenant, id, name, template, params, signature.scheme, secretName, sealed],
    });
    return rows[0] ? toWebhook(rows[0]) : null;
  }

  return {
    create: (tenant, webhook) => put(insert, tenant, webhook),
    replace: (tenant, webhook) => put(update, tenant, webhook),
    open: (webhookId) => open(pool, box, { webhookId }),

    async get(tenant, webhookId) {
      const rows = await query<Row>(pool, {
        text: `SELECT ${columns} FROM inbound_webhooks WHERE tenant = $1 AND webhook_id = $2`,
        values: [tenant, webhookId],
      });
      return rows[0] ? toWebhook(rows[0]) : null;
    },

    list: (tenant, page) =>
      listNewest<Row, StoredInboundWebhook>(
        pool,
        { table: 'inbound_webhooks', columns, order: ['created_at', 'webhook_id'], filters: { tenant } },
        { ...page, item: toWebhook, position: (row) => ({ key: row.created, id: row.webhook_id }) },
      ),

    async delete(tenant, webhookId) {
      const rows = await query(pool, {
        text: `WITH secret_too AS (DELETE FROM secrets WHERE tenant = $1 AND name = $3)
          DELETE FROM inbound_webhooks WHERE tenant = $1 AND webhook_id = $2 RETURNING webhook_id`,
        values: [tenant, webhookId, secretNames.inboundWebhook(webhookId)],
      });
      return rows.length === 1;
    },
  };
}

async function open(
  pool: Pool,
  box: SecretBox,
  { webhookId }: { readonly webhookId: string },
): Promise<OpenedInboundWebhook | null> {
  const name = secretNames.inboundWebhook(webhookId);
  const rows = await query<Row & { readonly sealed: Buffer }>(pool, {
    name: 'inbound-webhook-open',
    text: `SELECT w.*, s.sealed FROM (SELECT ${columns} FROM inbound_webhooks WHERE webhook_id = $1) AS w
      JOIN secrets s ON s.tenant = w.tenant AND s.name = $2 AND s.version = 1`,
    values: [webhookId, name],
  });
  const [row] = rows;
  if (!row) return null;
  const { tenant, sealed } = row;
  return { tenant, webhook: toWebhook(row), secret: box.open(sealed, { tenant, name }) };
}

const toWebhook = (row: Row): StoredInboundWebhook => ({
  id: row.webhook_id,
  name: row.name,
  template: row.template,
  params: row.params,
  signature: { scheme: row.scheme },
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});
