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
