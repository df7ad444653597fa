import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Pool } from 'pg';
import { noDetails, type ApprovalDetails } from '../../domain/approvals/approval-details.ts';
import type { JsonObject } from '../../domain/json.ts';
import type { Approval, ApprovalView } from '../../domain/schemas/approval.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { query } from './query.ts';

export interface ApprovalStore {
  /** Newest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    filter: { readonly status?: Approval['status'] | undefined; readonly goalId?: GoalId | undefined },
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ApprovalView>>;
  get(tenant: string, approvalId: string): Promise<ApprovalView | null>;
  /**
   * Keeps an input that a vote is to put in the place of the one asked about. Durable when it resolves.
   * @returns its SHA-256, by which the vote names it: the same for equal inputs, however they are written
   */
  keepEdit(tenant: string, approval: Pick<Approval, 'id' | 'goalId'>, input: JsonObject): Promise<string>;
}

interface Row {
  readonly approval_id: string;
  readonly goal_id: GoalId;
  readonly task_id: string | null;
  readonly kind: Approval['kind'];
  readonly prompt: string;
  readonly input: Approval['input'];
  readonly status: Approval['status'];
  readonly required: number;
  readonly votes: Approval['votes'];
  readonly requested_at: Date;
  readonly requested: string;
  readonly expires_at: Date | null;
  readonly details: Partial<ApprovalDetails>;
  readonly edited_input: JsonObject | null;
}

const columns = `approval_id, goal_id, task_id, kind, prompt, input, status, required, votes, requested_at,
  ${exactTime('requested_at')} AS requested, expires_at, details,
  (SELECT e.input FROM approval_edits e WHERE e.tenant = approvals.tenant AND e.approval_id = approvals.approval_id
    AND e.sha256 = details->>'editedInputSha256') AS edited_input`;

/** Questions to people, as the recorder projects them. */
export function createApprovalStore(pool: Pool): ApprovalStore {
  return {
    list: (tenant, { status, goalId }, page) =>
      listNewest<Row, ApprovalView>(
        pool,
        {
          table: 'approvals',
          columns,
          order: ['requested_at', 'approval_id'],
          filters: { tenant, status, goal_id: goalId },
        },
        { ...page, item: toApproval, position: (row) => ({ key: row.requested, id: row.approval_id }) },
      ),

    async get(tenant, approvalId) {
      const rows = await query<Row>(pool, {
        name: 'approval-get',
        text: `SELECT ${columns} FROM approvals WHERE tenant = $1 AND approval_id = $2`,
        values: [tenant, approvalId],
      });
      return rows[0] ? toApproval(rows[0]) : null;
    },

    async keepEdit(tenant, { id, goalId }, input) {
      const text = canonicalize(input) ?? '';
      const sha256 = hash('sha256', text, 'hex');
      await query(pool, {
        text: `INSERT INTO approval_edits (tenant, approval_id, sha256, goal_id, input) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT DO NOTHING`,
        values: [tenant, id, sha256, goalId, text],
      });
      return sha256;
    },
  };
}

const toApproval = (row: Row): ApprovalView => ({
  ...noDetails,
  ...row.details,
  id: row.approval_id,
  kind: row.kind,
  goalId: row.goal_id,
  taskId: row.task_id,
  prompt: row.prompt,
  input: row.input,
  status: row.status,
  required: row.required,
  votes: row.votes,
  requestedAt: row.requested_at.toISOString(),
  expiresAt: row.expires_at?.toISOString() ?? null,
  editedInput: row.edited_input,
});
