import { hash, randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Deletion, DeletionKind, Removed } from '../../domain/schemas/retention.ts';
import { query } from './query.ts';

/** What is to be deleted; kept until it is. */
export type DeletionRequest =
  | { readonly kind: 'goal'; readonly tenant: string; readonly goalId: GoalId; readonly marked?: boolean }
  | { readonly kind: 'tenant'; readonly tenant: string }
  | SubjectRequest
  | { readonly kind: 'retention'; readonly tenant: string };

export interface SubjectRequest {
  readonly kind: 'subject';
  readonly tenant: string;
  readonly subject: string;
  readonly pseudonym: string;
  /** How far the job is. It looks through the tenant's goals twice, in the order of their ids: for its own, and for its name. */
  readonly stage: 'goals' | 'settings' | 'mentions' | 'runs' | 'archive';
  readonly after: string;
  /** Goals of others that still run and name the subject, found in this pass. */
  readonly waiting: number;
}

/** A deletion that is under way. */
export interface OpenDeletion {
  readonly id: string;
  readonly requestedAt: Date;
  readonly request: DeletionRequest;
}

export interface DeletionStore {
  /** Durable when it resolves. With a key that was used before it gives the deletion of that time. */
  create(request: DeletionRequest, options?: { readonly key?: string | undefined }): Promise<Deletion>;
  /** Null also for another tenant's. */
  get(tenant: string, id: string): Promise<Deletion | null>;
  /** Are the goal's rows gone, and it itself not yet from everywhere? */
  isLeaving(goal: GoalRef): Promise<boolean>;
  /** Null once it is completed. */
  open(id: string): Promise<OpenDeletion | null>;
  /** Keeps how far it is. */
  keep(id: string, request: DeletionRequest): Promise<void>;
  count(id: string, removed: Partial<Removed>): Promise<void>;
  /** Forgets what the request said. */
  complete(id: string): Promise<Deletion | null>;
  /** Ids, oldest first. */
  underWay(): Promise<readonly string[]>;
  /** Begins one for the tenant's policies unless one is under way. */
  ensureRetention(tenant: string): Promise<void>;
}

interface Row extends Removed {
  readonly deletion_id: string;
  readonly kind: DeletionKind;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
}
const columns = 'deletion_id, kind, requested_at, finished_at, goals, rows, objects, executions, votes';

const sha256 = (text: string): string => hash('sha256', text);
const ownerOf = (id: string, tenant: string): string => sha256(`${id}/${tenant}`);
// A tenant's name has no NUL, so no two of them are written alike.
const idOf = ({ tenant, kind }: DeletionRequest, key: string | undefined): string =>
  `del_${key === undefined ? randomBytes(16).toString('hex') : sha256(`${tenant}\0${kind}\0${key}`).slice(0, 32)}`;

/** Deletions under way, and their audit. */
export function createDeletionStore(pool: Pool): DeletionStore {
  const reads = createReads(pool);
  async function insert(request: DeletionRequest, id: string): Promise<void> {
    await query(pool, {
      text: `INSERT INTO deletions (deletion_id, kind, owner, request, requested_at) VALUES ($1, $2, $3, $4, now())
        ON CONFLICT DO NOTHING`,
      values: [id, request.kind, ownerOf(id, request.tenant), JSON.stringify(request)],
    });
  }

  return {
    ...reads,
    ...createProgress(pool),
    async create(request, { key } = {}) {
      const id = idOf(request, key);
      await insert(request, id);
      const created = await reads.get(request.tenant, id);
      // It has just been inserted, and no deletion is ever removed.
      return created as Deletion;
    },

    async ensureRetention(tenant) {
      const rows = await query(pool, {
        text: `SELECT FROM deletions
          WHERE finished_at IS NULL AND kind = 'retention' AND request->>'tenant' = $1 LIMIT 1`,
        values: [tenant],
      });
      if (rows.length > 0) return;
      const request = { kind: 'retention', tenant } as const;
      await insert(request, idOf(request, undefined));
    },
  };
}

type Progress = 'keep' | 'count' | 'complete';

function createReads(pool: Pool): Omit<DeletionStore, Progress | 'create' | 'ensureRetention'> {
  return {
    async get(tenant, id) {
      const rows = await query<Row>(pool, {
        name: 'deletion-get',
        text: `SELECT ${columns} FROM deletions WHERE deletion_id = $1 AND owner = $2`,
        values: [id, ownerOf(id, tenant)],
      });
      return rows[0] ? toDeletion(rows[0]) : null;
    },

    async isLeaving({ tenant, goalId }) {
      const rows = await query(pool, {
        name: 'goal-leaving',
        text: `SELECT FROM goal_removals WHERE tenant = $1 AND goal_id IN ($2, '') AND gone_at IS NOT NULL`,
        values: [tenant, goalId],
      });
      return rows.length > 0;
    },

    async open(id) {
      const rows = await query<{ request: DeletionRequest; requested_at: Date }>(pool, {
        text: 'SELECT request, requested_at FROM deletions WHERE deletion_id = $1 AND finished_at IS NULL',
        values: [id],
      });
      return rows[0] ? { id, requestedAt: rows[0].requested_at, request: rows[0].request } : null;
    },

    async underWay() {
      const rows = await query<{ deletion_id: string }>(pool, {
        text: 'SELECT deletion_id FROM deletions WHERE finished_at IS NULL ORDER BY requested_at LIMIT 1000',
      });
      return rows.map(({ deletion_id: id }) => id);
    },
  };
}

function createProgress(pool: Pool): Pick<DeletionStore, Progress> {
  return {
    async keep(id, request) {
      await query(pool, {
        text: 'UPDATE deletions SET request = $2 WHERE deletion_id = $1 AND finished_at IS NULL',
        values: [id, JSON.stringify(request)],
      });
    },

    async count(id, { goals = 0, rows = 0, objects = 0, executions = 0, votes = 0 }) {
      await query(pool, {
        text: `UPDATE deletions SET goals = goals + $2, rows = rows + $3, objects = objects + $4,
          executions = executions + $5, votes = votes + $6 WHERE deletion_id = $1`,
        values: [id, goals, rows, objects, executions, votes],
      });
    },

    async complete(id) {
      const rows = await query<Row>(pool, {
        text: `UPDATE deletions SET finished_at = now(), request = NULL WHERE deletion_id = $1 AND finished_at IS NULL
          RETURNING ${columns}`,
        values: [id],
      });
      return rows[0] ? toDeletion(rows[0]) : null;
    },
  };
}

function toDeletion({ deletion_id: id, kind, requested_at, finished_at, ...removed }: Row): Deletion {
  return {
    id,
    kind,
    status: finished_at === null ? 'running' : 'completed',
    requestedAt: requested_at.toISOString(),
    finishedAt: finished_at?.toISOString() ?? null,
    removed,
  };
}
