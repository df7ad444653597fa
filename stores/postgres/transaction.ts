import { Pool, type ClientBase } from 'pg';

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
