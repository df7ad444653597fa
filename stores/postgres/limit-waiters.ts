import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Bucket } from './limit-places.ts';
import { query } from './query.ts';

/** Who of those that wait could begin. A hint: each has to ask for its places itself, and may be refused again. */
export interface LimitWaiters {
  /** Of those that wait in the buckets. */
  of(tenant: string, buckets: readonly Bucket[]): Promise<readonly GoalRef[]>;
  /** Of those that wait at a limit. */
  at(tenant: string, name: string): Promise<readonly GoalRef[]>;
  /** Of these. */
  among(goals: readonly GoalRef[]): Promise<readonly GoalRef[]>;
  /** Up to `count` goals that hold or want places, and were not checked for a while: now they are. Each is given to one caller. */
  takeToCheck(options: { readonly count: number; readonly olderThanSeconds: number }): Promise<readonly CheckedGoal[]>;
  /** Removes calls' places that have lapsed, and buckets that nobody uses. */
  tidy(): Promise<void>;
}

export interface CheckedGoal {
  readonly goal: GoalRef;
  /** Of the places that were found; those that it asks for later are not marked with it. */
  readonly checkedAt: string;
}

/** The first in the line of a bucket, where one place was given back; more than one may have become free. */
const firstInLine = 20;
/** At a limit that was changed: the sweep finds the others. */
const mostAtOnce = 100;

const waiting = `p.task_id = '' AND p.taken_at IS NULL AND NOT p.replaced`;

interface Row {
  readonly tenant: string;
  readonly goal_id: GoalId;
}
const toGoal = ({ tenant, goal_id }: Row): GoalRef => ({ tenant, goalId: goal_id });

export function createLimitWaiters(pool: Pool): LimitWaiters {
  const among = (goals: readonly GoalRef[]) => readyAmong(pool, goals);
  return {
    among,

    async of(tenant, buckets) {
      if (buckets.length === 0) return [];
      const rows = await query<Row>(pool, {
        name: 'limit-waiters-of',
        text: `SELECT DISTINCT first.tenant, first.goal_id FROM unnest($2::text[], $3::text[]) AS w(name, bucket)
          CROSS JOIN LATERAL (
            SELECT p.tenant, p.goal_id FROM limit_places p
            WHERE p.tenant = $1 AND p.limit_name = w.name AND p.bucket = w.bucket AND ${waiting}
            ORDER BY p.priority, p.since, p.goal_id LIMIT ${firstInLine}) first`,
        values: [tenant, buckets.map(({ name }) => name), buckets.map(({ bucket }) => bucket)],
      });
      return among(rows.map(toGoal));
    },

    async at(tenant, name) {
      const rows = await query<Row>(pool, {
        text: `SELECT p.tenant, p.goal_id FROM limit_places p WHERE p.tenant = $1 AND p.limit_name = $2 AND ${waiting}
          ORDER BY p.priority, p.since, p.goal_id LIMIT ${mostAtOnce}`,
        values: [tenant, name],
      });
      return rows.map(toGoal);
    },

    async takeToCheck({ count, olderThanSeconds }) {
      const rows = await query<Row & { checked_at: string }>(pool, {
        name: 'limit-places-check',
        text: `WITH oldest AS (
            SELECT tenant, goal_id, limit_name FROM limit_places
            WHERE task_id = '' AND checked_at < now() - $2::float8 * interval '1 second'
            ORDER BY checked_at LIMIT $1 FOR UPDATE SKIP LOCKED
          ), checked AS (
            UPDATE limit_places p SET checked_at = now() FROM oldest o
            WHERE p.tenant = o.tenant AND p.goal_id = o.goal_id AND p.task_id = '' AND p.limit_name = o.limit_name
            RETURNING p.tenant, p.goal_id, p.checked_at
          )
          SELECT DISTINCT tenant, goal_id, checked_at::text AS checked_at FROM checked`,
        values: [count, olderThanSeconds],
      });
      return rows.map((row) => ({ goal: toGoal(row), checkedAt: row.checked_at }));
    },

    async tidy() {
      await query(pool, {
        text: `WITH lapsed AS (DELETE FROM limit_places WHERE lease_until < now() - interval '1 minute')
          DELETE FROM limit_buckets b WHERE used_at < now() - interval '1 hour' AND paid_until < now()
            AND NOT EXISTS (SELECT FROM limit_places p
              WHERE p.tenant = b.tenant AND p.limit_name = b.limit_name AND p.bucket = b.bucket)`,
      });
    },
  };
}

/** One that waits at several limits could begin only if all of them let it. */
async function readyAmong(pool: Pool, goals: readonly GoalRef[]): Promise<readonly GoalRef[]> {
  if (goals.length === 0) return [];
  const rows = await query<Row>(pool, {
    name: 'limit-waiters-among',
    text: `SELECT p.tenant, p.goal_id FROM limit_places p
      LEFT JOIN limits l ON l.tenant = p.tenant AND l.name = p.limit_name
      CROSS JOIN LATERAL (
        SELECT count(*) AS before FROM limit_places o
        WHERE o.tenant = p.tenant AND o.limit_name = p.limit_name AND o.bucket = p.bucket AND (o.taken_at IS NOT NULL
          OR NOT o.replaced AND (o.priority, o.since, o.goal_id) < (p.priority, p.since, p.goal_id))) o
      WHERE (p.tenant, p.goal_id) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND ${waiting}
      GROUP BY p.tenant, p.goal_id
      HAVING bool_and(coalesce(o.before < (l.definition->>'concurrency')::bigint, true)
        AND coalesce(p.until <= now(), true))`,
    values: [goals.map(({ tenant }) => tenant), goals.map(({ goalId }) => goalId)],
  });
  return rows.map(toGoal);
}
