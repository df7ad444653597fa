import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';

const directory = fileURLToPath(new URL('migrations', import.meta.url));

/** Its notices are about each file, each time; what fails is thrown. */
const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

/**
 * Brings the database's schema up to date. Processes that start at the same time wait for one another (an advisory
 * lock); all new migrations are applied or none.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  await runner({
    databaseUrl: { connectionString: databaseUrl, application_name: 'astra-migrate', connectionTimeoutMillis: 5_000 },
    dir: directory,
    direction: 'up',
    migrationsTable: 'astra_migrations',
    checkOrder: true,
    advisoryLockMode: 'wait',
    logger: quiet,
  });
}
