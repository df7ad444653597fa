import type { ClientBase, Pool } from 'pg';
import { postgresError } from './postgres-error.ts';

/** Runs statements on one connection, all or none of them. @throws what `work` throws; ASTRA_UNAVAILABLE */
export async function inTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch(fail);
  let lost: unknown;
  try {
    await client.query('BEGIN').catch(fail);
    const result = await work(client);
    await client.query('COMMIT').catch(fail);
    return result;
  } catch (error) {
    lost = error;
    throw error;
  } finally {
    // A connection in the middle of a transaction is not given back but closed.
    client.release(lost !== undefined);
  }
}

const fail = (error: unknown): never => {
  throw postgresError(error);
};
