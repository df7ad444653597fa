import type { ClientBase, Pool, QueryConfig, QueryResultRow } from 'pg';
import { postgresError } from './postgres-error.ts';

/**
 * One statement, of its own or of a transaction. Named ones are prepared once a connection.
 * @throws ASTRA_UNAVAILABLE; ASTRA_INTERNAL
 */
export async function query<Row extends QueryResultRow>(
  db: Pool | ClientBase,
  statement: QueryConfig,
): Promise<readonly Row[]> {
  try {
    const { rows } = await db.query<Row>(statement);
    return rows;
  } catch (error) {
    throw postgresError(error);
  }
}

/** Of a statement that is repeated: how many rows it changes at a time, well within the time that it has. */
export const chunkRows = 1_000;

/**
 * Repeats a statement that changes `chunkRows` rows and returns them, until there are fewer.
 * @throws ASTRA_UNAVAILABLE; ASTRA_INTERNAL
 */
export async function inChunks(pool: Pool, statement: QueryConfig): Promise<void> {
  for (let changed = chunkRows; changed === chunkRows;) changed = (await query(pool, statement)).length;
}
