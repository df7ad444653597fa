import type { ClientBase } from 'pg';
import type { Claim, Claimant } from './limit-places.ts';

/** How a bucket stands for a claimant: `Standing` of domain/limit-judgement.ts, and what the claimant has there. */
export interface StandingRow {
  readonly name: string;
  readonly since: string;
  readonly now_ms: number;
  readonly paid_until_ms: number;
  readonly held: boolean;
  readonly replaced: boolean;
  readonly holding: number;
  readonly ahead: number;
}

/** By the database's clock, the one that all processes share. By limit. */
export async function readStandings(
  db: ClientBase,
  { goal, taskId, priority }: Claimant,
  claims: readonly Claim[],
): Promise<ReadonlyMap<string, StandingRow>> {
  const { rows } = await db.query<StandingRow>({
    name: 'limit-standings',
    text: `WITH me AS (
        SELECT coalesce(min(since), clock_timestamp()) AS since FROM limit_places
        WHERE tenant = $1 AND goal_id = $2 AND task_id = $3)
      SELECT w.name, me.since::text AS since, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms,
        (extract(epoch FROM b.paid_until) * 1000)::float8 AS paid_until_ms, coalesce(own.replaced, false) AS replaced,
        own.taken_at IS NOT NULL AND (own.lease_until IS NULL OR own.lease_until > clock_timestamp()) AS held,
        others.holding, others.ahead
      FROM unnest($4::text[], $5::text[]) AS w(name, bucket) CROSS JOIN me
      JOIN limit_buckets b ON b.tenant = $1 AND b.limit_name = w.name AND b.bucket = w.bucket
      LEFT JOIN limit_places own
        ON own.tenant = $1 AND own.goal_id = $2 AND own.task_id = $3 AND own.limit_name = w.name
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE p.taken_at IS NOT NULL) AS holding,
          count(*) FILTER (WHERE p.taken_at IS NULL AND NOT p.replaced
            AND (p.priority, p.since, p.goal_id, p.task_id) < ($6::smallint, me.since, $2, $3)) AS ahead
        FROM limit_places p
        WHERE p.tenant = $1 AND p.limit_name = w.name AND p.bucket = w.bucket AND (p.goal_id, p.task_id) <> ($2, $3)
          AND (p.lease_until IS NULL OR p.lease_until > clock_timestamp())) others`,
    values: [
      goal.tenant,
      goal.goalId,
      taskId,
      claims.map(({ limit }) => limit.name),
      claims.map(({ bucket }) => bucket),
      priority,
    ],
  });
  return new Map(rows.map((row) => [row.name, row]));
}
