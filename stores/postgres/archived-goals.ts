import type { Pool } from 'pg';
import type { Forgetting } from '../../domain/forget-subject.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { ArchivedGoal } from '../../domain/schemas/retention.ts';
import { exactTime, type Page } from './cursor.ts';
import { listNewest } from './list-newest.ts';
import { query } from './query.ts';

export interface ArchivedGoals {
  /** Latest first. @throws ASTRA_PARAMETER_INVALID for a strange cursor */
  list(
    tenant: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<ArchivedGoal>>;
  get(tenant: string, goalId: GoalId): Promise<ArchivedGoal | null>;
  /** The archive is whole. */
  put(goal: GoalRef, archived: ArchivedGoal, people: NamedPeople): Promise<void>;
  /** Nothing of it is in the archive any more. */
  remove(tenant: string, goalId: GoalId): Promise<void>;
  /** Of a goal and the goals below it. */
  tree(tenant: string, goalId: GoalId): Promise<readonly GoalId[]>;
  /** Those that the subject has submitted or is named in. */
  ofSubject(
    tenant: string,
    subject: string,
    options: { readonly limit: number },
  ): Promise<readonly { readonly goalId: GoalId; readonly own: boolean }[]>;
  /** The archive names somebody else instead. */
  rename(goal: GoalRef, forgetting: Forgetting): Promise<void>;
}
/** Who the archive of a goal names. */
export interface NamedPeople {
  readonly submittedBy: string | null;
  readonly subjects: readonly string[];
}

interface Row {
  readonly goal_id: GoalId;
  readonly parent_goal_id: GoalId | null;
  readonly status: ArchivedGoal['status'];
  readonly created_at: Date;
  readonly finished_at: Date;
  readonly archived: string;
  readonly size_bytes: number;
  readonly artifacts: ArchivedGoal['artifacts'];
}
const columns = `goal_id, parent_goal_id, status, created_at, finished_at, ${exactTime('archived_at')} AS archived,
  size_bytes, artifacts`;

/** What the archive holds; the bytes are in object storage. */
export const createArchivedGoals = (pool: Pool): ArchivedGoals => ({ ...createReads(pool), ...createWrites(pool) });

type Writes = 'put' | 'remove' | 'rename';

function createReads(pool: Pool): Omit<ArchivedGoals, Writes> {
  return {
    list: (tenant, page) =>
      listNewest<Row, ArchivedGoal>(
        pool,
        { table: 'archived_goals', columns, order: ['archived_at', 'goal_id'], filters: { tenant } },
        { ...page, item: toArchived, position: (row) => ({ key: row.archived, id: row.goal_id }) },
      ),

    async get(tenant, goalId) {
      const rows = await query<Row>(pool, {
        text: `SELECT ${columns} FROM archived_goals WHERE tenant = $1 AND goal_id = $2`,
        values: [tenant, goalId],
      });
      return rows[0] ? toArchived(rows[0]) : null;
    },

    async tree(tenant, goalId) {
      const rows = await query<{ goal_id: GoalId }>(pool, {
        text: `WITH RECURSIVE tree AS (
            SELECT goal_id FROM archived_goals WHERE tenant = $1 AND goal_id = $2
          UNION
            SELECT a.goal_id FROM tree t JOIN archived_goals a ON a.tenant = $1 AND a.parent_goal_id = t.goal_id
          ) SELECT goal_id FROM tree`,
        values: [tenant, goalId],
      });
      return rows.map(({ goal_id: id }) => id);
    },

    async ofSubject(tenant, subject, { limit }) {
      const rows = await query<{ goal_id: GoalId; own: boolean }>(pool, {
        text: `SELECT goal_id, submitted_by IS NOT DISTINCT FROM $2 AS own FROM archived_goals
          WHERE tenant = $1 AND (submitted_by = $2 OR $2 = ANY (subjects)) ORDER BY goal_id LIMIT $3`,
        values: [tenant, subject, limit],
      });
      return rows.map(({ goal_id: id, own }) => ({ goalId: id, own }));
    },
  };
}

function createWrites(pool: Pool): Pick<ArchivedGoals, Writes> {
  return {
    async put({ tenant, goalId }, archived, { submittedBy, subjects }) {
      await query(pool, {
        text: `INSERT INTO archived_goals (tenant, goal_id, parent_goal_id, status, created_at, finished_at, archived_at,
            size_bytes, artifacts, submitted_by, subjects) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
          ON CONFLICT (tenant, goal_id) DO UPDATE SET parent_goal_id = excluded.parent_goal_id, status = excluded.status,
            created_at = excluded.created_at, finished_at = excluded.finished_at, archived_at = excluded.archived_at,
            size_bytes = excluded.size_bytes, artifacts = excluded.artifacts, submitted_by = excluded.submitted_by,
            subjects = excluded.subjects`,
        values: [
          ...[tenant, goalId, archived.parentGoalId, archived.status, archived.createdAt, archived.finishedAt],
          ...[archived.archivedAt, archived.sizeBytes, JSON.stringify(archived.artifacts), submittedBy, subjects],
        ],
      });
    },

    async remove(tenant, goalId) {
      await query(pool, {
        text: 'DELETE FROM archived_goals WHERE tenant = $1 AND goal_id = $2',
        values: [tenant, goalId],
      });
    },

    async rename({ tenant, goalId }, { subject, pseudonym }) {
      await query(pool, {
        text: `UPDATE archived_goals SET subjects = array_replace(subjects, $3, $4)
          WHERE tenant = $1 AND goal_id = $2`,
        values: [tenant, goalId, subject, pseudonym],
      });
    },
  };
}

const toArchived = (row: Row): ArchivedGoal => ({
  goalId: row.goal_id,
  parentGoalId: row.parent_goal_id,
  status: row.status,
  createdAt: row.created_at.toISOString(),
  finishedAt: row.finished_at.toISOString(),
  archivedAt: row.archived,
  sizeBytes: row.size_bytes,
  artifacts: row.artifacts,
});
