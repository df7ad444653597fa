import type { ClientBase, Pool } from 'pg';

/** Runs statements as one transaction, on a connection of its own. @throws what `work` throws; then nothing was done */
export async function inTransaction<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isOpen = true;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    isOpen = false;
    return result;
  } finally {
    // A connection in the middle of a transaction is not given back but closed.
    client.release(isOpen);
  }
}
