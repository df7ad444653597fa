import { Pool, TypeOverrides, types } from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../../platform/config.ts';
import { postgresError } from './postgres-error.ts';

const typeParsers = new TypeOverrides();
// Sequence numbers and sizes stay far below 2^53.
typeParsers.setTypeParser(types.builtins.INT8, Number);

/**
 * Connections to Postgres. A statement fails within 3 s when no connection is to be had and within 10 s when the server
 * does not answer. `bigint` columns are read as numbers.
 */
export function createPool(
  config: Pick<Config, 'DATABASE_URL'>,
  options: { readonly maxConnections?: number; readonly logger?: Pick<Logger, 'warn'> } = {},
): Pool {
  const pool = new Pool({
    connectionString: config.DATABASE_URL.reveal(),
    application_name: 'astra',
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    statement_timeout: 8_000,
    // The client's own time-out, for a server that is gone without a word, follows the server's.
    query_timeout: 10_000,
    types: typeParsers,
  });
  // Of idle connections; without a listener the process would end. The next statement opens a new connection.
  // Not the error as a whole: it carries the client, with all that it has ever prepared.
  pool.on('error', ({ message }) => options.logger?.warn({ reason: message }, 'an idle Postgres connection was lost'));
  return pool;
}

/** For /readyz. @throws ASTRA_UNAVAILABLE */
export async function checkPostgres(pool: Pool): Promise<void> {
  try {
    await pool.query({ name: 'check', text: 'SELECT 1' });
  } catch (error) {
    throw postgresError(error);
  }
}
