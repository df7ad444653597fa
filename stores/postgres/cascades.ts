import type { Pool } from 'pg';
import type { GoalId } from '../../domain/schemas/common.ts';
import { query } from './query.ts';

/**
 * Goals that belong together. A cancel is kept before the record is searched for the goals that it is for, and a goal is
 * recorded before it looks for a cancel (`createHoldGoal`): whichever comes second sees the other.
 * All of it throws ASTRA_UNAVAILABLE.
 */
export interface CascadeStore {
  /** From now on goals of the cascade that were submitted before `at` do not begin. Durable when it resolves. */
  cancel(
    tenant: string,
    cascadeId: string,
    cancel: { readonly at: string; readonly reason: string | null },
  ): Promise<void>;
  /** The latest cancel of the cascade, if it came at that time or later. */
  cancelledSince(tenant: string, cascadeId: string, time: string): Promise<{ readonly reason: string | null } | null>;
  /** Its recorded goals that have not ended. */
  openGoals(tenant: string, cascadeId: string): AsyncGenerator<GoalId, void, undefined>;
}

const pageSize = 1_000;

export function createCascadeStore(pool: Pool): CascadeStore {
  return {
    async cancel(tenant, cascadeId, { at, reason }) {
      await query(pool, {
        name: 'cascade-cancel',
        // Clocks differ: a cancel never takes back a later one.
        text: `INSERT INTO cascade_cancels (tenant, cascade_id, cancelled_at, reason) VALUES ($1, $2, $3, $4)
               ON CONFLICT (tenant, cascade_id) DO UPDATE SET
                 cancelled_at = greatest(cascade_cancels.cancelled_at, excluded.cancelled_at), reason = excluded.reason`,
        values: [tenant, cascadeId, at, JSON.stringify(reason)],
      });
    },

    async cancelledSince(tenant, cascadeId, time) {
      const rows = await query<{ reason: string | null }>(pool, {
        name: 'cascade-cancelled-since',
        text: 'SELECT reason FROM cascade_cancels WHERE tenant = $1 AND cascade_id = $2 AND cancelled_at >= $3',
        values: [tenant, cascadeId, time],
      });
      return rows[0] ?? null;
    },

    async *openGoals(tenant, cascadeId) {
      for (let after = ''; ;) {
        const rows = await query<{ goal_id: GoalId }>(pool, {
          name: 'cascade-open-goals',
          text: `SELECT goal_id FROM goals WHERE tenant = $1 AND cascade_id = $2 AND finished_at IS NULL AND goal_id > $3
                 ORDER BY goal_id LIMIT ${pageSize}`,
          values: [tenant, cascadeId, after],
        });
        for (const row of rows) yield row.goal_id;
        const last = rows.at(-1);
        if (!last || rows.length < pageSize) return;
        after = last.goal_id;
      }
    },
  };
}
