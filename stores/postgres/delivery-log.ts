import type { Pool } from 'pg';
import type { EventType } from '../../domain/schemas/event.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { WebhookDelivery } from '../../domain/schemas/webhook.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { query } from './query.ts';

/** What was sent to a webhook, or to the `callbackUrl`s of the tenant's goals (`callback`), as the API shows it. */
export interface DeliveryLog {
  /** Newest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    filter: { readonly webhookId: string; readonly status?: WebhookDelivery['status'] | undefined },
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<WebhookDelivery>>;
  /** Sends it again, for another 24 hours, whatever came of it; null when there is none. */
  replay(tenant: string, webhookId: string, delivery: { readonly id: string }): Promise<WebhookDelivery | null>;
}

interface Row {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly goal_id: GoalId;
  readonly seq: number;
  readonly type: EventType;
  readonly status: WebhookDelivery['status'];
  readonly attempts: number;
  readonly created_at: Date;
  readonly created: string;
  readonly attempted_at: Date | null;
  readonly next_attempt_at: Date | null;
  readonly response_status: number | null;
  readonly error: string | null;
}

const columns = `delivery_id, webhook_id, goal_id, seq, type, status, attempts, created_at,
  ${exactTime('created_at')} AS created, attempted_at, next_attempt_at, response_status, error`;

export function createDeliveryLog(pool: Pool): DeliveryLog {
  return {
    list: (tenant, { webhookId, status }, page) =>
      listNewest<Row, WebhookDelivery>(
        pool,
        {
          table: 'webhook_deliveries',
          columns,
          order: ['created_at', 'delivery_id'],
          filters: { tenant, webhook_id: webhookId, status },
        },
        { ...page, item: toDelivery, position: (row) => ({ key: row.created, id: row.delivery_id }) },
      ),

    async replay(tenant, webhookId, { id }) {
      const rows = await query<Row>(pool, {
        text: `UPDATE webhook_deliveries SET status = 'pending', attempts = 0, next_attempt_at = now(), settled_at = NULL,
            give_up_at = now() + interval '24 hours'
          WHERE tenant = $1 AND webhook_id = $2 AND delivery_id = $3 RETURNING ${columns}`,
        values: [tenant, webhookId, id],
      });
      return rows[0] ? toDelivery(rows[0]) : null;
    },
  };
}

const toDelivery = (row: Row): WebhookDelivery => ({
  id: row.delivery_id,
  webhookId: row.webhook_id,
  goalId: row.goal_id,
  seq: row.seq,
  type: row.type,
  status: row.status,
  attempts: row.attempts,
  createdAt: row.created_at.toISOString(),
  lastAttemptAt: row.attempted_at?.toISOString() ?? null,
  lastResponseStatus: row.response_status,
  lastError: row.error,
  nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
});
