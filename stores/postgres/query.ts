import type { Pool, QueryConfig, QueryResultRow } from 'pg';
import { postgresError } from './postgres-error.ts';

/**
 * One statement of its own. Named ones are prepared once a connection.
 * @throws ASTRA_UNAVAILABLE; ASTRA_INTERNAL
 */
export async function query<Row extends QueryResultRow>(pool: Pool, statement: QueryConfig): Promise<readonly Row[]> {
  try {
    const { rows } = await pool.query<Row>(statement);
    return rows;
  } catch (error) {
    throw postgresError(error);
  }
}
