import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { loadConfig } from '../../platform/config.ts';
import { migrate } from '../../stores/postgres/migrate.ts';
import { createPool } from '../../stores/postgres/pool.ts';

const config = loadConfig(inject('stack').env);
const database = `schema_${randomBytes(6).toString('hex')}`;
const databaseUrl = Object.assign(new URL(config.DATABASE_URL.reveal()), { pathname: `/${database}` }).href;
let admin: Pool;
let pool: Pool;

beforeAll(async () => {
  admin = createPool(config, { maxConnections: 1 });
  await admin.query(`CREATE DATABASE ${database}`);
  pool = createPool(loadConfig({ DATABASE_URL: databaseUrl }));
});
afterAll(async () => {
  await pool.end();
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  await admin.end();
});

test('processes that start at the same time migrate once', async () => {
  await Promise.all([migrate(databaseUrl), migrate(databaseUrl), migrate(databaseUrl)]);
  await migrate(databaseUrl);
  const { rows } = await pool.query('SELECT name, count(*) FROM astra_migrations GROUP BY name ORDER BY name');
  expect(rows).toEqual([
    { name: '000001_record', count: 1 },
    { name: '000002_catalogue', count: 1 },
    { name: '000003_revoked_tokens', count: 1 },
    { name: '000004_submission', count: 1 },
    { name: '000005_webhooks', count: 1 },
    { name: '000006_cancel', count: 1 },
    { name: '000007_retention', count: 1 },
    { name: '000008_approvals', count: 1 },
    { name: '000009_budgets', count: 1 },
    { name: '000010_flow_limits', count: 1 },
    { name: '000011_durations', count: 1 },
    { name: '000012_replan', count: 1 },
    { name: '000013_dead_letter', count: 1 },
  ]);
});

test('the migrations give the schema of schema.sql', async () => {
  await expect(await describeSchema(pool)).toMatchFileSnapshot('../../stores/postgres/schema.sql');
});

/** From the catalogues, not by pg_dump, whose text differs from one version of Postgres to the next. */
async function describeSchema(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ sql: string }>(`
    SELECT format(E'CREATE TABLE %s (\\n%s\\n)%s;\\n%s', c.relname,
      concat_ws(E',\\n',
        (SELECT string_agg(concat_ws(' ', ' ', a.attname, format_type(a.atttypid, a.atttypmod),
            CASE WHEN a.attcollation = 'pg_catalog."C"'::regcollation THEN 'COLLATE "C"' END,
            CASE WHEN a.attstorage <> t.typstorage THEN 'STORAGE ' || a.attstorage::text END,
            CASE WHEN a.attnotnull THEN 'NOT NULL' END), E',\\n' ORDER BY a.attnum)
          FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
          WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
        (SELECT string_agg('  ' || pg_get_constraintdef(k.oid), E',\\n' ORDER BY k.conname)
          FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f'))),
      CASE WHEN c.reloptions IS NOT NULL THEN ' WITH (' || array_to_string(c.reloptions, ', ') || ')' END,
      (SELECT string_agg(pg_get_indexdef(i.indexrelid) || E';\\n', '' ORDER BY i.indexrelid::regclass::text)
        FROM pg_index i WHERE i.indrelid = c.oid
        AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid))) AS sql
    FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> 'astra_migrations'
    ORDER BY c.relname`);
  const note = '-- What the migrations amount to. Generated: vitest run --project integration -u record-schema\n\n';
  return note + rows.map(({ sql }) => sql).join('\n');
}
