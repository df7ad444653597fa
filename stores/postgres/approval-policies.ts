import type { Pool } from 'pg';
import type { Policy, PolicyView } from '../../domain/schemas/approval-policy.ts';
import { query } from './query.ts';

interface TenantPolicy extends Policy {
  readonly tenant: string;
  readonly updatedAt: Date;
}

export interface ApprovalPolicyStore {
  /** A tenant without a policy has one without rules. */
  get(tenant: string): Promise<PolicyView>;
  /** Replaces the tenant's policy. */
  put(tenant: string, policy: Policy, by: string): Promise<PolicyView>;
  /** Of all tenants, those that were set since; null: all of them. */
  listSince(since: Date | null): Promise<readonly TenantPolicy[]>;
}

interface Row {
  readonly tenant: string;
  readonly rules: Policy['rules'];
  readonly updated_at: Date;
  readonly updated_by: string;
}

/** A statement that was begun earlier may be seen later: this much of what was seen is read again. */
const overlap = `interval '10 seconds'`;

export function createApprovalPolicyStore(pool: Pool): ApprovalPolicyStore {
  return {
    async get(tenant) {
      const rows = await query<Row>(pool, {
        name: 'approval-policy-get',
        text: 'SELECT rules, updated_at, updated_by FROM approval_policies WHERE tenant = $1',
        values: [tenant],
      });
      return rows[0] ? toView(rows[0]) : { rules: [], updatedAt: null, updatedBy: null };
    },

    async put(tenant, { rules }, by) {
      const rows = await query<Row>(pool, {
        text: `INSERT INTO approval_policies (tenant, rules, updated_at, updated_by) VALUES ($1, $2, now(), $3)
               ON CONFLICT (tenant) DO UPDATE SET rules = excluded.rules, updated_at = excluded.updated_at,
                 updated_by = excluded.updated_by
               RETURNING updated_at`,
        values: [tenant, JSON.stringify(rules), by],
      });
      return { rules, updatedAt: rows[0]?.updated_at.toISOString() ?? null, updatedBy: by };
    },

    async listSince(since) {
      const rows = await query<Row>(pool, {
        name: 'approval-policies-since',
        text: `SELECT tenant, rules, updated_at FROM approval_policies
               WHERE updated_at > coalesce($1::timestamptz - ${overlap}, '-infinity')`,
        values: [since],
      });
      return rows.map(({ tenant, rules, updated_at: updatedAt }) => ({ tenant, rules, updatedAt }));
    },
  };
}

const toView = ({ rules, updated_at, updated_by }: Row): PolicyView => ({
  rules,
  updatedAt: updated_at.toISOString(),
  updatedBy: updated_by,
});
