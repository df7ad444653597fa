import type { Pool } from 'pg';
import type { GoalId } from '../../domain/schemas/common.ts';
import { query } from './query.ts';
import { inOwnTransaction } from './transaction.ts';

/** A goal on its way out: marked, archived where its policy says so, its rows removed, then what is left elsewhere. */
export interface Removal {
  readonly goalId: GoalId;
  /** Still to be archived. */
  readonly archive: boolean;
  /** How long its rows are gone; null: they are not. */
  readonly goneSeconds: number | null;
}

/** What workers must not believe any more. */
export interface Announcement {
  readonly tenant: string;
  /** Empty: all that the tenant had. */
  readonly goalId: string;
  readonly objects: readonly string[];
}

export interface GoalRemovals {
  /** Marks goals and the goals below them. Where one of them still runs, none is marked, unless `evenRunning`. */
  mark(
    deletion: { readonly id: string; readonly tenant: string },
    goals: readonly { readonly goalId: GoalId; readonly archive: boolean }[],
    options?: { readonly evenRunning?: boolean },
  ): Promise<void>;
  /** Those of the deletion that are marked, first those whose rows are still there. */
  list(deletionId: string, options: { readonly limit: number }): Promise<readonly Removal[]>;
  archived(tenant: string, goalId: GoalId): Promise<void>;
  /**
   * Hands over what of the goals' bytes nothing else refers to, for good: until it returns no task can begin to refer to
   * them. @returns how many
   */
  releaseObjects(
    tenant: string,
    goalIds: readonly GoalId[],
    remove: (sha256: string) => Promise<void>,
  ): Promise<number>;
  /** Might a task that began before the goals went have written the same bytes, and not have said so yet? */
  mayBeShared(tenant: string, goalIds: readonly GoalId[]): Promise<boolean>;
  /** Nothing is left of these. */
  finish(tenant: string, goalIds: readonly GoalId[]): Promise<void>;
  announceTenant(deletion: { readonly id: string; readonly tenant: string }): Promise<void>;
  finishTenant(tenant: string): Promise<void>;
  /** Of all tenants. */
  announced(): Promise<readonly Announcement[]>;
  /** The bytes are in use again: they stay. Waits while they are being handed over. */
  keepObject(tenant: string, sha256: string): Promise<void>;
}

const final = `('completed', 'failed', 'cancelled')`;
const these = 'tenant = $1 AND goal_id = ANY ($2::text[])';
/** Objects that are handed over while one transaction lasts. */
const goalsAtOnce = 20;

export const createGoalRemovals = (pool: Pool): GoalRemovals => ({
  ...createMarks(pool),
  ...createObjects(pool),
  ...createAnnouncements(pool),
});

type Objects = 'releaseObjects' | 'mayBeShared' | 'keepObject';
type Announcements = 'announced' | 'announceTenant' | 'finishTenant';

function createMarks(pool: Pool): Omit<GoalRemovals, Objects | Announcements> {
  return {
    async mark({ id, tenant }, goals, { evenRunning = false } = {}) {
      await query(pool, {
        text: `WITH RECURSIVE tree AS (
            SELECT w.goal_id AS root, w.archive, g.goal_id, g.status
            FROM unnest($3::text[], $4::boolean[]) AS w(goal_id, archive)
            JOIN goals g ON g.tenant = $2 AND g.goal_id = w.goal_id
          UNION ALL
            SELECT t.root, t.archive, g.goal_id, g.status FROM tree t
            JOIN goals g ON g.tenant = $2 AND g.parent_goal_id = t.goal_id
          )
          INSERT INTO goal_removals (tenant, goal_id, deletion_id, archive)
          SELECT $2::text, goal_id, $1, archive FROM tree
          WHERE $5::boolean OR root NOT IN (SELECT root FROM tree WHERE status NOT IN ${final})
          ON CONFLICT DO NOTHING`,
        values: [id, tenant, goals.map(({ goalId }) => goalId), goals.map(({ archive }) => archive), evenRunning],
      });
    },

    async list(deletionId, { limit }) {
      const rows = await query<{ goal_id: GoalId; archive: boolean; gone_seconds: number | null }>(pool, {
        text: `SELECT goal_id, archive, extract(epoch FROM now() - gone_at)::float8 AS gone_seconds FROM goal_removals
          WHERE deletion_id = $1 ORDER BY gone_at NULLS FIRST, goal_id LIMIT $2`,
        values: [deletionId, limit],
      });
      return rows.map((row) => ({ goalId: row.goal_id, archive: row.archive, goneSeconds: row.gone_seconds }));
    },

    async archived(tenant, goalId) {
      await query(pool, {
        text: 'UPDATE goal_removals SET archive = false WHERE tenant = $1 AND goal_id = $2',
        values: [tenant, goalId],
      });
    },

    async finish(tenant, goalIds) {
      await query(pool, {
        text: `DELETE FROM goal_removals WHERE ${these} AND gone_at IS NOT NULL AND objects = '{}'`,
        values: [tenant, goalIds],
      });
    },
  };
}

function createObjects(pool: Pool): Pick<GoalRemovals, Objects> {
  return {
    releaseObjects: (tenant, goalIds, remove) => releaseObjects(pool, { tenant, goalIds, remove }),

    async mayBeShared(tenant, goalIds) {
      const rows = await query(pool, {
        // Of tasks only those that a tool works on: maps, sub-goals and waits write nothing themselves.
        text: `SELECT FROM goals g JOIN tasks t ON t.tenant = g.tenant AND t.goal_id = g.goal_id
          WHERE g.tenant = $1 AND g.status IN ('running', 'cancelling') AND t.status = 'running'
            AND t.state->>'map' IS NULL AND t.state->>'childGoalId' IS NULL AND t.state->>'waitingFor' IS NULL
            AND (t.state->>'startedAt')::timestamptz <= (SELECT max(gone_at) FROM goal_removals WHERE ${these})
            AND EXISTS (SELECT FROM goal_removals WHERE ${these} AND objects <> '{}')
          LIMIT 1`,
        values: [tenant, goalIds],
      });
      return rows.length > 0;
    },

    async keepObject(tenant, sha256) {
      await query(pool, {
        text: `UPDATE goal_removals SET objects = array_remove(objects, $2)
          WHERE tenant = $1 AND $2 = ANY (objects)`,
        values: [tenant, sha256],
      });
    },
  };
}

function createAnnouncements(pool: Pool): Pick<GoalRemovals, Announcements> {
  return {
    async announceTenant({ id, tenant }) {
      await query(pool, {
        text: `INSERT INTO goal_removals (tenant, goal_id, deletion_id, archive, gone_at)
          VALUES ($1, '', $2, false, now()) ON CONFLICT DO NOTHING`,
        values: [tenant, id],
      });
    },

    async finishTenant(tenant) {
      await query(pool, { text: 'DELETE FROM goal_removals WHERE tenant = $1', values: [tenant] });
    },

    async announced() {
      const rows = await query<{ tenant: string; goal_id: string; objects: string[] }>(pool, {
        name: 'removals-announced',
        text: 'SELECT tenant, goal_id, objects FROM goal_removals WHERE gone_at IS NOT NULL',
      });
      return rows.map(({ tenant, goal_id: goalId, objects }) => ({ tenant, goalId, objects }));
    },
  };
}

async function releaseObjects(
  pool: Pool,
  {
    tenant,
    goalIds,
    remove,
  }: {
    readonly tenant: string;
    readonly goalIds: readonly GoalId[];
    readonly remove: (sha256: string) => Promise<void>;
  },
): Promise<number> {
  let removed = 0;
  for (let from = 0; from < goalIds.length; from += goalsAtOnce) {
    const some = goalIds.slice(from, from + goalsAtOnce);
    removed += await inOwnTransaction(pool, async (client) => {
      // Whoever wants to keep one waits for this lock, and then finds the bytes gone and writes them.
      const rows = await query<{ objects: string[] }>(client, {
        text: `SELECT objects FROM goal_removals WHERE ${these} AND gone_at IS NOT NULL ORDER BY goal_id FOR UPDATE`,
        values: [tenant, some],
      });
      const objects = [...new Set(rows.flatMap((row) => row.objects))];
      const used = await query<{ sha256: string }>(client, {
        text: 'SELECT DISTINCT sha256 FROM artifacts WHERE tenant = $1 AND sha256 = ANY ($2::text[])',
        values: [tenant, objects],
      });
      const kept = new Set(used.map(({ sha256 }) => sha256));
      const unused = objects.filter((sha256) => !kept.has(sha256));
      await Promise.all(unused.map(remove));
      await query(client, {
        text: `UPDATE goal_removals SET objects = '{}' WHERE ${these} AND gone_at IS NOT NULL`,
        values: [tenant, some],
      });
      return unused.length;
    });
  }
  return removed;
}
