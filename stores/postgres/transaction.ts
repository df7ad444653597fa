import { Pool, type ClientBase } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import { postgresError } from './postgres-error.ts';

/**
 * Runs `work` in a transaction: a new one, or, given a client, the one that it is in.
 * @throws what `work` or pg throws; then nothing is written
 */
export async function inTransaction<T>(db: Pool | ClientBase, work: (client: ClientBase) => Promise<T>): Promise<T> {
  if (!(db instanceof Pool)) return work(db);
  const client = await db.connect();
  let lost: unknown;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    lost = error;
    throw error;
  } finally {
    // A connection in the middle of a transaction is not given back but closed.
    client.release(lost !== undefined);
  }
}

/** Runs `work` in a transaction of its own. @throws what `work` throws; ASTRA_UNAVAILABLE for what pg throws */
export async function inOwnTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(pool, work);
  } catch (error) {
    throw error instanceof AstraError ? error : postgresError(error);
  }
}
