import type { Binaries } from './acquire/resolve-binaries.ts';
import type { Component, Environment } from './component.ts';
import type { Fleet } from './fleet.ts';
import type { StatePaths } from './paths.ts';
import type { PortAllocator } from './ports.ts';
import type { Addresses } from './process-environment.ts';
import type { Reporter } from './reporter.ts';
import type { Secrets } from './secrets.ts';
import { createMemcached } from './servers/memcached.ts';
import { createPostgres, databaseUrl } from './servers/postgres.ts';
import { createRedis } from './servers/redis.ts';
import { createS3 } from './servers/s3.ts';
import type { ServerContext } from './servers/server-context.ts';
import { createTemporal } from './servers/temporal.ts';
import { allOrNothing } from './all-or-nothing.ts';

export interface StartServersContext {
  paths: StatePaths;
  ports: PortAllocator;
  secrets: Secrets;
  env: Environment;
  binaries: Binaries;
  reporter: Reporter;
  fleet: Fleet;
}

export type ServerAddresses = Pick<
  Addresses,
  'temporalAddress' | 'temporalUiUrl' | 'databaseUrl' | 'redisUrl' | 'memcachedServers' | 's3Endpoint'
>;

/** Starts all servers at once, and applies the migrations as soon as Postgres answers. */
export async function startServers(context: StartServersContext, migrate: boolean): Promise<ServerAddresses> {
  const { binaries, reporter, secrets } = context;
  const addresses: ServerAddresses = {
    temporalAddress: '',
    temporalUiUrl: '',
    databaseUrl: '',
    redisUrl: '',
    memcachedServers: '',
    s3Endpoint: '',
  };
  const { memcached } = binaries;
  await allOrNothing([
    startServer(context, createTemporal, 'temporal').then(({ port, uiPort }) => {
      addresses.temporalAddress = `127.0.0.1:${port}`;
      addresses.temporalUiUrl = `http://127.0.0.1:${uiPort}`;
    }),
    startServer(context, createPostgres, 'postgres').then(async ({ port }) => {
      addresses.databaseUrl = databaseUrl(port, secrets.postgresPassword);
      if (migrate) await reporter.step('migrations', () => applyMigrations(addresses.databaseUrl));
    }),
    startServer(context, createRedis, 'redis').then(({ port }) => {
      addresses.redisUrl = `redis://:${secrets.redisPassword}@127.0.0.1:${port}/0`;
    }),
    startServer(context, createS3, 's3').then(({ port }) => {
      addresses.s3Endpoint = `http://127.0.0.1:${port}`;
    }),
    ...(memcached === null
      ? []
      : [
          startServer(context, createMemcached, 'memcached').then(({ port }) => {
            addresses.memcachedServers = `127.0.0.1:${port}`;
          }),
        ]),
  ]);
  if (memcached === null) reporter.line('  – memcached    not there: its answers are cached in Redis');
  return addresses;
}

const attempts = 3;

async function startServer<T extends Component>(
  context: StartServersContext,
  create: (context: ServerContext) => Promise<T>,
  name: 'temporal' | 'postgres' | 'redis' | 's3' | 'memcached',
): Promise<T> {
  const { binaries, reporter, fleet } = context;
  const binary = binaries[name];
  if (binary === null) throw new Error(`There is no ${name}.`);
  const start = async (): Promise<T> => {
    for (let attempt = 1; ; attempt += 1) {
      const component = await create({ ...context, binary });
      try {
        await fleet.start(component);
        return component;
      } catch (error) {
        // Another program took the port between the look at it and the server's own bind: others are tried.
        const portTaken = /address already in use|EADDRINUSE|bind: |failed to listen/i.test(String(error));
        if (!portTaken || attempt === attempts) throw error;
        fleet.remove(name);
      }
    }
  };
  return reporter.step(name, start, ({ version, port }) => `${version.padEnd(8)} 127.0.0.1:${port}`);
}

async function applyMigrations(url: string): Promise<void> {
  // Loaded late: a start that fails before needs no migration tool.
  const { migrate } = await import('../../stores/postgres/migrate.ts');
  await migrate(url);
}
