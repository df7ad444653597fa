import type { Pool } from 'pg';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Retention } from '../../domain/schemas/retention.ts';
import { query } from './query.ts';

export interface RetentionPolicies {
  get(tenant: string): Promise<Retention>;
  /** Replaces the whole policy. */
  put(tenant: string, retention: Retention): Promise<void>;
  /** Tenants that have goals whose time has come. */
  tenantsWithDue(): Promise<readonly string[]>;
  /** Some of the tenant's goals whose time has come, sub-goals aside: those go with their parents. */
  due(tenant: string, options: { readonly limit: number }): Promise<readonly DueGoal[]>;
}
export interface DueGoal {
  readonly goalId: GoalId;
  readonly archive: boolean;
}

interface PolicyRow {
  readonly status: keyof Retention;
  readonly days: number;
  readonly archive: boolean;
}

/**
 * Goals of a policy `p` whose time has come. A goal was created before it ended, so the index by status and creation finds
 * them: those that were created in time and ended late are few.
 */
const dueOfPolicy = (limit: string): string => `
  SELECT g.goal_id, p.archive FROM goals g
  WHERE g.tenant = p.tenant AND g.status = p.status AND g.parent_goal_id IS NULL
    AND g.created_at <= now() - make_interval(days => p.days) AND g.finished_at <= now() - make_interval(days => p.days)
    AND NOT EXISTS (SELECT FROM goal_removals r WHERE r.tenant = g.tenant AND r.goal_id = g.goal_id)
    AND NOT EXISTS (SELECT FROM goals c WHERE c.tenant = g.tenant AND c.parent_goal_id = g.goal_id
      AND c.status NOT IN ('completed', 'failed', 'cancelled'))
  ORDER BY g.created_at LIMIT ${limit}`;

/** How long goals are kept; by default for ever. */
export function createRetentionPolicies(pool: Pool): RetentionPolicies {
  return {
    async get(tenant) {
      const rows = await query<PolicyRow>(pool, {
        name: 'retention-get',
        text: 'SELECT status, days, archive FROM retention_policies WHERE tenant = $1 ORDER BY status',
        values: [tenant],
      });
      return Object.fromEntries(rows.map(({ status, days, archive }) => [status, { days, archive }]));
    },

    async put(tenant, retention) {
      const rules = Object.entries(retention).flatMap(([status, rule]) => (rule ? [{ status, ...rule }] : []));
      await query(pool, {
        text: `WITH dropped AS (DELETE FROM retention_policies WHERE tenant = $1 AND status <> ALL ($2::text[]))
          INSERT INTO retention_policies (tenant, status, days, archive)
          SELECT $1, r.* FROM unnest($2::text[], $3::integer[], $4::boolean[]) AS r(status, days, archive)
          ON CONFLICT (tenant, status) DO UPDATE SET days = excluded.days, archive = excluded.archive`,
        values: [
          tenant,
          rules.map(({ status }) => status),
          rules.map(({ days }) => days),
          rules.map(({ archive }) => archive),
        ],
      });
    },

    async tenantsWithDue() {
      const rows = await query<{ tenant: string }>(pool, {
        text: `SELECT DISTINCT p.tenant FROM retention_policies p
          CROSS JOIN LATERAL (${dueOfPolicy('1')}) AS due`,
      });
      return rows.map(({ tenant }) => tenant);
    },

    async due(tenant, { limit }) {
      const rows = await query<{ goal_id: GoalId; archive: boolean }>(pool, {
        text: `SELECT due.* FROM retention_policies p CROSS JOIN LATERAL (${dueOfPolicy('$2')}) AS due
          WHERE p.tenant = $1 LIMIT $2`,
        values: [tenant, limit],
      });
      return rows.map(({ goal_id: goalId, archive }) => ({ goalId, archive }));
    },
  };
}
