import type { Pool } from 'pg';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import { chunkRows, inChunks, query } from './query.ts';

/** An endpoint of a tenant, and to how many more deliveries it may be sent at once. */
export interface EndpointRoom {
  readonly tenant: string;
  readonly endpoint: string;
  readonly room: number;
}

/** A delivery that this process is to attempt now. */
export interface ClaimedDelivery {
  readonly tenant: string;
  readonly id: string;
  readonly webhookId: string;
  readonly endpoint: string;
  /** With this one. */
  readonly attempts: number;
  /** Its 24 hours are over: this attempt is the last. */
  readonly isLast: boolean;
  /** Null: the webhook is deleted or disabled. */
  readonly url: string | null;
  /** Null: its goal was deleted. */
  readonly event: GoalEvent | null;
}

/** What is known after an attempt. */
export interface AttemptResult {
  /** HTTP status; null: there was no answer. */
  readonly responseStatus: number | null;
  readonly error: string | null;
}

/** All throw ASTRA_UNAVAILABLE when Postgres does not answer. */
export interface DeliveryQueue {
  /**
   * Takes deliveries that are due: none is given to two processes. A delivery whose process dies is due again when
   * `leaseSeconds` are over.
   * @param options.perEndpoint for each endpoint that `rooms` does not name
   */
  claim(options: {
    readonly limit: number;
    readonly perEndpoint: number;
    readonly leaseSeconds: number;
    readonly rooms: readonly EndpointRoom[];
  }): Promise<readonly ClaimedDelivery[]>;
  /** Does nothing when the delivery was claimed again meanwhile. @param options.retryMs unless it has ended: when to try again */
  settle(
    delivery: ClaimedDelivery,
    status: 'delivered' | 'failed' | 'pending',
    options: AttemptResult & { readonly retryMs: number },
  ): Promise<void>;
  /** Gives up all of the endpoint whose 24 hours are over. */
  giveUpExpired(endpoint: Pick<EndpointRoom, 'tenant' | 'endpoint'>): Promise<void>;
  /** Disables the webhook and gives up what waits for it. */
  disable(webhook: { readonly tenant: string; readonly webhookId: string }): Promise<void>;
  /** Deletes what was settled longer ago. */
  deleteSettled(options: { readonly olderThanDays: number }): Promise<void>;
}

/**
 * 1. Endpoints are found one after the other in the index of what waits, however much waits for each of them. Of each
 *    comes no more than it has room for, so that one that does not answer keeps no other from being called.
 * 2. A row that another process claims at the same time is skipped; one that it has just claimed is not due any more when
 *    this statement gets its lock.
 */
const claimStatement = `
WITH RECURSIVE endpoints AS (
  (SELECT tenant, endpoint FROM webhook_deliveries WHERE status = 'pending' ORDER BY tenant, endpoint LIMIT 1)
  UNION ALL
  SELECT following.* FROM endpoints e CROSS JOIN LATERAL (
    SELECT tenant, endpoint FROM webhook_deliveries
    WHERE status = 'pending' AND (tenant, endpoint) > (e.tenant, e.endpoint) ORDER BY tenant, endpoint LIMIT 1
  ) AS following
), due AS (
  SELECT d.* FROM endpoints e
  LEFT JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS r(tenant, endpoint, room)
    ON r.tenant = e.tenant AND r.endpoint = e.endpoint
  CROSS JOIN LATERAL (
    SELECT tenant, delivery_id, next_attempt_at FROM webhook_deliveries
    WHERE status = 'pending' AND tenant = e.tenant AND endpoint = e.endpoint AND next_attempt_at <= now()
    ORDER BY next_attempt_at LIMIT coalesce(r.room, $4::bigint) FOR UPDATE SKIP LOCKED
  ) AS d
  ORDER BY d.next_attempt_at LIMIT $5
), claimed AS (
  UPDATE webhook_deliveries d SET attempts = d.attempts + 1, attempted_at = now(),
    next_attempt_at = now() + $6 * interval '1 second'
  FROM due WHERE d.tenant = due.tenant AND d.delivery_id = due.delivery_id
  RETURNING d.*
)
SELECT c.tenant, c.delivery_id, c.webhook_id, c.endpoint, c.attempts, c.give_up_at <= now() AS is_last,
  coalesce(c.url, w.url) AS url, e.goal_id, e.seq, e.type, e.task_id, e.attempt, e.at, e.data
FROM claimed c
LEFT JOIN webhooks w ON w.tenant = c.tenant AND w.webhook_id = c.webhook_id AND w.disabled_at IS NULL
LEFT JOIN events e ON e.tenant = c.tenant AND e.goal_id = c.goal_id AND e.seq = c.seq`;

interface Row {
  readonly tenant: string;
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly endpoint: string;
  readonly attempts: number;
  readonly is_last: boolean;
  readonly url: string | null;
  readonly goal_id: GoalId | null;
  readonly seq: number;
  readonly type: string;
  readonly task_id: string | null;
  readonly attempt: number;
  readonly at: Date;
  readonly data: unknown;
}

/** The outbox, as those see it who send what is in it. */
export function createDeliveryQueue(pool: Pool): DeliveryQueue {
  return {
    async claim({ limit, perEndpoint, leaseSeconds, rooms }) {
      const rows = await query<Row>(pool, {
        name: 'deliveries-claim',
        text: claimStatement,
        values: [
          rooms.map(({ tenant }) => tenant),
          rooms.map(({ endpoint }) => endpoint),
          rooms.map(({ room }) => room),
          perEndpoint,
          limit,
          leaseSeconds,
        ],
      });
      return rows.map(toClaimed);
    },

    async settle({ tenant, id, attempts }, status, { responseStatus, error, retryMs }) {
      await query(pool, {
        name: 'delivery-settle',
        text: `UPDATE webhook_deliveries SET status = $4::text, response_status = $5, error = $6,
            next_attempt_at = CASE WHEN $4::text = 'pending' THEN now() + $7 * interval '1 millisecond' END,
            settled_at = CASE WHEN $4::text <> 'pending' THEN now() END
          WHERE tenant = $1 AND delivery_id = $2 AND attempts = $3`,
        values: [tenant, id, attempts, status, responseStatus, error, retryMs],
      });
    },

    giveUpExpired: ({ tenant, endpoint }) =>
      inChunks(pool, {
        text: giveUp('AND give_up_at <= now()'),
        values: [tenant, endpoint, 'the receiver did not answer for 24 hours'],
      }),

    async disable({ tenant, webhookId }) {
      await query(pool, {
        text: 'UPDATE webhooks SET disabled_at = now() WHERE tenant = $1 AND webhook_id = $2 AND disabled_at IS NULL',
        values: [tenant, webhookId],
      });
      // Should this end in between: what is left is refused when it is its turn.
      await inChunks(pool, { text: giveUp(), values: [tenant, webhookId, 'the receiver has disabled the webhook'] });
    },

    deleteSettled: ({ olderThanDays }) =>
      inChunks(pool, {
        text: `DELETE FROM webhook_deliveries WHERE (tenant, delivery_id) IN (
            SELECT tenant, delivery_id FROM webhook_deliveries
            WHERE settled_at < now() - $1 * interval '1 day' ORDER BY settled_at LIMIT ${chunkRows}
          ) RETURNING delivery_id`,
        values: [olderThanDays],
      }),
  };
}

/** $1 tenant, $2 endpoint, $3 why, for those that were never attempted. */
const giveUp = (condition = ''): string => `
  UPDATE webhook_deliveries SET status = 'failed', next_attempt_at = NULL, settled_at = now(), error = coalesce(error, $3)
  WHERE (tenant, delivery_id) IN (
    SELECT tenant, delivery_id FROM webhook_deliveries
    WHERE tenant = $1 AND endpoint = $2 AND status = 'pending' ${condition} LIMIT ${chunkRows}
  ) RETURNING delivery_id`;

function toClaimed(row: Row): ClaimedDelivery {
  const { tenant, delivery_id: id, webhook_id: webhookId, endpoint, attempts, is_last: isLast, url } = row;
  const { goal_id: goalId, seq, type, task_id: taskId, attempt, at, data } = row;
  // Type and data were recorded together.
  const event =
    goalId === null ? null : ({ goalId, seq, type, taskId, attempt, at: at.toISOString(), data } as GoalEvent);
  return { tenant, id, webhookId, endpoint, attempts, isLast, url, event };
}
