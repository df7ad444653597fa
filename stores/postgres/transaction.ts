import type { Pool, PoolClient } from 'pg';
import { postgresError } from './postgres-error.ts';

/**
 * Several statements that count together or not at all.
 * @throws ASTRA_UNAVAILABLE, and then they may have counted or not; ASTRA_INTERNAL; what `work` throws
 */
export async function transaction<T>(pool: Pool, work: (db: PoolClient) => Promise<T>): Promise<T> {
  const db = await pool.connect().catch((error: unknown) => {
    throw postgresError(error);
  });
  try {
    await db.query('BEGIN');
    const result = await work(db);
    await db.query('COMMIT');
    db.release();
    return result;
  } catch (error) {
    // A connection that cannot be put in order is not used again.
    const broken = await db.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    db.release(broken);
    throw postgresError(error);
  }
}
