import type { ClientBase, Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { judge, type Judgement } from '../../domain/limit-judgement.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { WaitingFor } from '../../domain/schemas/goal.ts';
import type { Limit } from './limits.ts';
import { readStandings, type StandingRow } from './limit-standings.ts';
import { query } from './query.ts';
import { inOwnTransaction } from './transaction.ts';

/** Who asks for places: a goal, or a call of one. */
export interface Claimant {
  readonly goal: GoalRef;
  /** Empty for the goal itself. */
  readonly taskId: string;
  /** 1 comes first. */
  readonly priority: number;
}
/** A place asked for. */
export interface Claim {
  readonly limit: Limit;
  readonly bucket: string;
}

export type TakeAnswer =
  | { readonly outcome: 'taken' }
  | { readonly outcome: 'rejected'; readonly limit: Limit; readonly waitMs: number | null }
  | {
      readonly outcome: 'waits';
      readonly waitingFor: WaitingFor;
      /** Null: until somebody gives a place back. */
      readonly waitMs: number | null;
      /** Goals to be cancelled for this one, also when that was asked of them before. */
      readonly replaced: readonly { readonly goal: GoalRef; readonly limit: Limit }[];
    };

/**
 * What goes on under limits, and what waits to.
 *
 * 1. All places that somebody asks for are taken together, or none.
 * 2. Whoever takes or gives back a place holds its bucket's row; rows are locked in the order of their keys. So a bucket
 *    is never overfull, nobody deadlocks, and whoever is refused is in the line before a place is given back.
 * 3. Who was refused once keeps the place in that line until it has all its places: by priority, then by when it first
 *    asked for any. That order is the same in all lines, so two that wait for each other's places do not exist.
 * 4. Asking again is free of charge: what is held stays held, and what was paid is not paid twice.
 */
export interface LimitPlaces {
  /** @param options.leaseSeconds after which a call's place lapses, unless it is renewed; a goal's never does */
  take(claimant: Claimant, claims: readonly Claim[], options?: { readonly leaseSeconds: number }): Promise<TakeAnswer>;
  /**
   * Gives back, or gives up, all that a goal and its calls have. Answers with the buckets that this changed.
   * @param found only what `LimitWaiters.takeToCheck` has found, and the goal has not asked for again since
   */
  giveBack(goal: GoalRef, found?: { readonly checkedAt: string }): Promise<readonly Bucket[]>;
  renewCall(goal: GoalRef, taskId: string, options: { readonly leaseSeconds: number }): Promise<void>;
  giveBackCall(goal: GoalRef, taskId: string): Promise<void>;
}

export interface Bucket {
  readonly name: string;
  readonly bucket: string;
}

export function createLimitPlaces(pool: Pool): LimitPlaces {
  return {
    take: (claimant, claims, options) =>
      inOwnTransaction(pool, (db) => take(db, claimant, claims, options?.leaseSeconds)),

    giveBack: ({ tenant, goalId }, found) =>
      inOwnTransaction(pool, async (db) => {
        const where = 'tenant = $1 AND goal_id = $2 AND checked_at = coalesce($3::timestamptz, checked_at)';
        const values = [tenant, goalId, found?.checkedAt ?? null];
        const { rows } = await db.query<Bucket>({
          name: 'limit-places-of-goal',
          text: `SELECT DISTINCT limit_name AS name, bucket FROM limit_places WHERE ${where}`,
          values,
        });
        if (rows.length === 0) return rows;
        await lockBuckets(db, tenant, rows);
        await db.query(`DELETE FROM limit_places WHERE ${where}`, values);
        return rows;
      }),

    async renewCall({ tenant, goalId }, taskId, { leaseSeconds }) {
      await query(pool, {
        name: 'limit-places-renew',
        text: `UPDATE limit_places SET lease_until = clock_timestamp() + $4::float8 * interval '1 second'
               WHERE tenant = $1 AND goal_id = $2 AND task_id = $3 AND taken_at IS NOT NULL`,
        values: [tenant, goalId, taskId, leaseSeconds],
      });
    },

    async giveBackCall({ tenant, goalId }, taskId) {
      await query(pool, {
        name: 'limit-places-give-back-call',
        text: 'DELETE FROM limit_places WHERE tenant = $1 AND goal_id = $2 AND task_id = $3',
        values: [tenant, goalId, taskId],
      });
    },
  };
}

async function lockBuckets(db: ClientBase, tenant: string, buckets: readonly Bucket[]): Promise<void> {
  await db.query({
    name: 'limit-buckets-lock',
    text: `INSERT INTO limit_buckets (tenant, limit_name, bucket, paid_until, used_at)
      SELECT $1, w.name, w.bucket, now(), now() FROM unnest($2::text[], $3::text[]) AS w(name, bucket) ORDER BY 2, 3
      ON CONFLICT (tenant, limit_name, bucket) DO UPDATE SET used_at = excluded.used_at`,
    values: [tenant, buckets.map(({ name }) => name), buckets.map(({ bucket }) => bucket)],
  });
}

async function take(
  db: ClientBase,
  claimant: Claimant,
  claims: readonly Claim[],
  leaseSeconds: number | undefined,
): Promise<TakeAnswer> {
  const { tenant } = claimant.goal;
  await lockBuckets(
    db,
    tenant,
    claims.map(({ limit, bucket }) => ({ name: limit.name, bucket })),
  );
  const standings = await readStandings(db, claimant, claims);
  const judged = claims.flatMap((claim) => {
    const row = standings.get(claim.limit.name);
    return row ? [{ claim, row, ...judgeClaim(claim, row, leaseSeconds === undefined) }] : [];
  });
  const refused = judged.filter((each) => !each.free);
  const rejecting = refused.find(({ claim }) => claim.limit.strategy === 'reject');
  const { now_ms: nowMs, since } = judged[0]?.row ?? { now_ms: 0, since: '-infinity' };
  const waitOf = (untilMs: number | null): number | null => (untilMs === null ? null : Math.ceil(untilMs - nowMs));
  if (rejecting && !rejecting.free) {
    return { outcome: 'rejected', limit: rejecting.claim.limit, waitMs: waitOf(rejecting.untilMs) };
  }
  const [first] = refused.toSorted((a, b) => untilOf(b) - untilOf(a));
  const write = { names: claims.map(({ limit }) => limit.name), since, leaseSeconds };
  if (!first || first.free) {
    await writePlaces(db, claimant, { ...write, places: judged, untilMs: null });
    return { outcome: 'taken' };
  }
  const places = refused.map(({ claim }) => ({ claim, free: false }) as const);
  await writePlaces(db, claimant, { ...write, places, untilMs: first.untilMs });
  const cancels = refused.every(({ claim, row }) => claim.limit.strategy === 'cancel_oldest' && !row.replaced);
  return {
    outcome: 'waits',
    waitingFor: {
      kind: first.kind,
      detail: first.claim.limit.name,
      until: first.untilMs === null ? null : new Date(first.untilMs).toISOString(),
    },
    waitMs: waitOf(first.untilMs),
    replaced: cancels ? await replaceOldest(db, claimant, places) : [],
  };
}

/** Of several refusals the one that lasts longest is shown: one without a time, or the one with the latest. */
const untilOf = (judgement: Judgement): number => (judgement.free ? 0 : (judgement.untilMs ?? Infinity));

function judgeClaim({ limit }: Claim, row: StandingRow, inLine: boolean): Judgement {
  if (row.held) return { free: true, paidUntilMs: null };
  // What is being cancelled begins nothing more.
  if (row.replaced) return { free: false, kind: 'concurrency', untilMs: null };
  const { holding, ahead, paid_until_ms: paidUntilMs, now_ms: nowMs } = row;
  return judge(limit, { holding, ahead, paidUntilMs }, { nowMs, inLine });
}

/** Longer than a call that waits is put off. */
const waitingLeaseSeconds = 120;

async function writePlaces(
  db: ClientBase,
  { goal, taskId, priority }: Claimant,
  write: {
    /** All that is asked for: what waited at other limits, which have been deleted or mean others now, waits no more. */
    readonly names: readonly string[];
    /** Taken, or waited at. */
    readonly places: readonly {
      readonly claim: Claim;
      readonly free: boolean;
      readonly paidUntilMs?: number | null;
    }[];
    readonly since: string;
    readonly untilMs: number | null;
    readonly leaseSeconds: number | undefined;
  },
): Promise<void> {
  const { names, places, since, untilMs, leaseSeconds } = write;
  const taken = places.every(({ free }) => free);
  await db.query({
    name: 'limit-places-write',
    text: `WITH gone AS (
        DELETE FROM limit_places
        WHERE tenant = $1 AND goal_id = $2 AND task_id = $3 AND taken_at IS NULL AND limit_name <> ALL ($4::text[])
      ), paid AS (
        UPDATE limit_buckets b SET paid_until = to_timestamp(w.paid_ms / 1000)
        FROM unnest($5::text[], $6::text[], $7::float8[]) AS w(name, bucket, paid_ms)
        WHERE w.paid_ms IS NOT NULL AND b.tenant = $1 AND b.limit_name = w.name AND b.bucket = w.bucket
      )
      INSERT INTO limit_places AS p (tenant, goal_id, task_id, limit_name, bucket, priority, since, taken_at, until,
        lease_until, replaced, checked_at)
      SELECT $1, $2, $3, w.name, w.bucket, $8::smallint, $9::timestamptz, CASE WHEN $10::boolean THEN clock_timestamp() END,
        to_timestamp($11::float8 / 1000),
        greatest(clock_timestamp(), to_timestamp($11::float8 / 1000)) + $12::float8 * interval '1 second', false, now()
      FROM unnest($5::text[], $6::text[]) AS w(name, bucket)
      ON CONFLICT (tenant, goal_id, task_id, limit_name) DO UPDATE SET
        bucket = CASE WHEN p.taken_at IS NULL THEN excluded.bucket ELSE p.bucket END,
        taken_at = CASE WHEN excluded.taken_at IS NOT NULL THEN coalesce(p.taken_at, excluded.taken_at) END,
        until = excluded.until, lease_until = excluded.lease_until, checked_at = excluded.checked_at`,
    values: [
      goal.tenant,
      goal.goalId,
      taskId,
      names,
      places.map(({ claim }) => claim.limit.name),
      places.map(({ claim }) => claim.bucket),
      places.map(({ paidUntilMs }) => paidUntilMs ?? null),
      priority,
      since,
      taken,
      untilMs,
      leaseSeconds === undefined ? null : taken ? leaseSeconds : waitingLeaseSeconds,
    ],
  });
}

/** Marks as replaced as many of the oldest as are too many beside the claimant. */
async function replaceOldest(
  db: ClientBase,
  { goal: { tenant, goalId } }: Claimant,
  places: readonly { readonly claim: Claim }[],
): Promise<{ readonly goal: GoalRef; readonly limit: Limit }[]> {
  const replaced: { goal: GoalRef; limit: Limit }[] = [];
  for (const { claim } of places) {
    const { limit, bucket } = claim;
    const { rows } = await db.query<{ goal_id: GoalId }>({
      name: 'limit-places-replace',
      text: `WITH others AS (
          SELECT goal_id, taken_at, since FROM limit_places
          WHERE tenant = $1 AND limit_name = $2 AND bucket = $3 AND goal_id <> $4 AND NOT replaced
        ), oldest AS (
          SELECT goal_id FROM others ORDER BY taken_at NULLS LAST, since, goal_id
          LIMIT greatest(0, (SELECT count(*) FROM others) + 1 - $5::bigint)
        )
        UPDATE limit_places SET replaced = true
        WHERE tenant = $1 AND limit_name = $2 AND bucket = $3 AND goal_id <> $4
          AND (replaced OR goal_id IN (SELECT goal_id FROM oldest))
        RETURNING goal_id`,
      values: [tenant, limit.name, bucket, goalId, limit.concurrency],
    });
    replaced.push(...rows.map(({ goal_id }) => ({ goal: { tenant, goalId: goal_id }, limit })));
  }
  return replaced;
}
