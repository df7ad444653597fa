import { escapeIdentifier, type ClientBase, type Pool } from 'pg';
import { postgresError } from './postgres-error.ts';
import { query } from './query.ts';
import { inOwnTransaction } from './transaction.ts';

/** What a statement deletes at most: it must end before `statement_timeout`. */
const chunkRows = 5_000;
/** Of goals and tenants, and says what is still to be removed of them. */
const removals = 'goal_removals';
/** The archive outlives the goals that are in it. */
const archive = 'archived_goals';
/** Revoked tokens stay revoked; they name nobody. */
const revokedTokens = 'revoked_tokens';

export interface RowRemoval {
  /** Called between statements; what it throws ends the work. */
  readonly onProgress: () => void;
}

/** Tables that have all of the columns: asked of the catalogue, so that no table of a later migration is forgotten. */
async function tablesWith(pool: Pool, columns: readonly string[], besides: readonly string[]): Promise<string[]> {
  const rows = await query<{ name: string }>(pool, {
    text: `SELECT c.relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attname = ANY ($1) AND NOT a.attisdropped
       AND c.relname <> ALL ($2)
     GROUP BY c.relname HAVING count(*) = $3 ORDER BY c.relname`,
    values: [columns, besides, columns.length],
  });
  return rows.map(({ name }) => escapeIdentifier(name));
}

async function run(db: Pool | ClientBase, text: string, values: unknown[]): Promise<number> {
  try {
    return (await db.query(text, values)).rowCount ?? 0;
  } catch (error) {
    throw postgresError(error);
  }
}

/** Deletes rows, a chunk at a time. `where` may use $1 and so on. */
async function deleteInChunks(
  pool: Pool,
  table: string,
  { where, values, onProgress }: RowRemoval & { readonly where: string; readonly values: unknown[] },
): Promise<number> {
  const chunk = `SELECT ctid FROM ${table} WHERE ${where} LIMIT ${chunkRows}`;
  let total = 0;
  for (;;) {
    onProgress();
    const count = await run(pool, `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(${chunk}))`, values);
    total += count;
    if (count < chunkRows) return total;
  }
}

/**
 * Removes all rows of the goals, the goals' own last and with the note that they are gone: until then whoever submits one
 * again is told that there is one. Goals that are gone already are left alone.
 * @returns how many goals and rows went. @throws ASTRA_UNAVAILABLE, and what `onProgress` throws
 */
export async function removeGoalRows(
  pool: Pool,
  { tenant, goalIds }: { readonly tenant: string; readonly goalIds: readonly string[] },
  options: RowRemoval,
): Promise<{ readonly goals: number; readonly rows: number }> {
  const where = 'tenant = $1 AND goal_id = ANY ($2::text[])';
  const values = [tenant, goalIds];
  await run(
    pool,
    // What an attempt that died has found already may have no rows any more.
    `UPDATE goal_removals r SET objects = ARRAY(SELECT unnest(r.objects)
       UNION SELECT sha256 FROM artifacts a WHERE a.tenant = r.tenant AND a.goal_id = r.goal_id)
     WHERE ${where} AND gone_at IS NULL`,
    values,
  );
  const tables = await tablesWith(pool, ['tenant', 'goal_id'], [removals, archive, 'goals']);
  let rows = 0;
  for (const table of tables) rows += await deleteInChunks(pool, table, { where, values, ...options });
  return inOwnTransaction(pool, async (client) => {
    await run(client, `SELECT FROM goals WHERE ${where} ORDER BY goal_id FOR UPDATE`, values);
    for (const table of tables) rows += await run(client, `DELETE FROM ${table} WHERE ${where}`, values);
    const goals = await run(client, `DELETE FROM goals WHERE ${where}`, values);
    await run(client, `UPDATE goal_removals SET gone_at = now() WHERE ${where} AND gone_at IS NULL`, values);
    return { goals, rows: rows + goals };
  });
}

/**
 * Removes every row of the tenant, but those that say what is still to be removed.
 * @throws ASTRA_UNAVAILABLE, and what `onProgress` throws
 */
export async function removeTenantRows(
  pool: Pool,
  tenant: string,
  options: RowRemoval,
): Promise<{ readonly goals: number; readonly rows: number }> {
  const counts = { goals: 0, rows: 0 };
  for (const table of await tablesWith(pool, ['tenant'], [removals, revokedTokens])) {
    const count = await deleteInChunks(pool, table, { where: 'tenant = $1', values: [tenant], ...options });
    counts.rows += count;
    if (table === escapeIdentifier('goals')) counts.goals += count;
  }
  // Workers have limits in memory, and read them anew when this moves.
  await run(pool, 'UPDATE limits_revision SET revision = revision + 1', []);
  await run(
    pool,
    `WITH nobodys AS (DELETE FROM revoked_tokens WHERE tenant = $1 RETURNING token_id, expires_at, revoked_at)
     INSERT INTO revoked_tokens (tenant, token_id, expires_at, revoked_at)
     SELECT '', * FROM nobodys ON CONFLICT DO NOTHING`,
    [tenant],
  );
  return counts;
}
