import { chownSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { atLeast, postgresLibraries } from '../acquire/find-binary.ts';
import { runCommand } from '../acquire/run-command.ts';
import type { Component } from '../component.ts';
import { postgresHome, type PostgresHome } from './postgres-home.ts';
import { serverEnvironment, type ServerContext } from './server-context.ts';

const admin = 'postgres';
/** The role that Astra connects as. It owns its database and may create others (tests do), and is no superuser. */
const role = 'astra';
const database = 'astra';

const settings = {
  listen_addresses: '127.0.0.1',
  // No Unix socket: its path would have to be short and open to others.
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '128MB',
  max_wal_size: '1GB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/** Postgres with pgvector, durable (fsync is on); passwords are needed on loopback too. */
export async function createPostgres(context: ServerContext): Promise<Component> {
  const { binary, secrets } = context;
  const home = postgresHome(context.paths);
  const data = join(home.directory, 'data');
  const env = { ...serverEnvironment(context.env, home.directory), ...postgresLibraries(binary.path) };
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(context, home, env);
  const port = await context.ports.take('postgres');
  const args = ['-D', data, '-p', String(port)];
  args.push(...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]));
  const connect = { host: '127.0.0.1', port, user: admin, password: secrets.postgresAdminPassword };
  return {
    name: 'postgres',
    version: binary.version,
    port,
    command: {
      file: join(binary.path, 'postgres'),
      args,
      env,
      cwd: home.directory,
      ...(home.user && { user: home.user }),
    },
    // SIGINT is its "fast" shutdown: open transactions are rolled back.
    stop: { signal: 'SIGINT', graceMs: 15_000 },
    probe: () => withClient({ ...connect, database: 'postgres' }, (client) => client.query('select 1')),
    async provision() {
      await withClient({ ...connect, database: 'postgres' }, (client) =>
        createDatabase(client, secrets.postgresPassword),
      );
      await withClient({ ...connect, database }, (client) => client.query('create extension if not exists vector'));
    },
  };
}

export function databaseUrl(port: number, password: string): string {
  return `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
}

async function initialise(context: ServerContext, home: PostgresHome, env: Record<string, string>): Promise<void> {
  const { binary, secrets } = context;
  const data = join(home.directory, 'data');
  const passwordFile = join(home.directory, 'password');
  writeFileSync(passwordFile, `${secrets.postgresAdminPassword}\n`, { mode: 0o600 });
  if (home.user !== null) chownSync(passwordFile, home.user.uid, home.user.gid);
  // Sorting must not depend on the machine's locales; the built-in provider came with 17.
  const locale = atLeast(binary.version, '17')
    ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
    : ['--locale=C'];
  const args = [
    '-D',
    data,
    '-U',
    admin,
    '--auth=scram-sha-256',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    ...locale,
  ];
  try {
    await runCommand(join(binary.path, 'initdb'), args, { env, cwd: home.directory, timeoutMs: 120_000, ...home.user });
  } catch (error) {
    // A half-made directory would be taken for data at the next start.
    rmSync(data, { recursive: true, force: true });
    throw error;
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function createDatabase(client: pg.Client, password: string): Promise<void> {
  const roles = await client.query('select 1 from pg_roles where rolname = $1', [role]);
  // The password is hexadecimal; a statement of this kind takes no parameters.
  if (roles.rowCount === 0) await client.query(`create role ${role} login createdb password '${password}'`);
  const databases = await client.query('select 1 from pg_database where datname = $1', [database]);
  if (databases.rowCount === 0) await client.query(`create database ${database} owner ${role}`);
}

async function withClient(config: pg.ClientConfig, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ ...config, connectionTimeoutMillis: 3000 });
  // A connection that breaks later must not end the launcher.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await use(client);
  } finally {
    await client.end().catch(() => undefined);
  }
}
