import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Component } from '../component.ts';
import { writeFileAtomically } from '../write-file-atomically.ts';
import { exchange } from './exchange.ts';
import { serverEnvironment, type ServerContext } from './server-context.ts';

/** Redis for caches and live streams only: nothing is written to disk, and the least used goes first when it is full. */
export async function createRedis(context: ServerContext): Promise<Component> {
  const { binary, paths, secrets, env } = context;
  const home = paths.data('redis');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const port = await context.ports.take('redis');
  const configuration = join(home, 'redis.conf');
  // A file and not arguments, which every user of the machine can read.
  const lines = ['bind 127.0.0.1', `port ${port}`, `requirepass ${secrets.redisPassword}`, `dir "${home}"`, 'save ""'];
  lines.push('appendonly no', 'maxmemory 256mb', 'maxmemory-policy allkeys-lru', 'daemonize no', '');
  writeFileAtomically(configuration, lines.join('\n'), 0o600);
  return {
    name: 'redis',
    version: binary.version,
    port,
    command: { file: binary.path, args: [configuration], env: serverEnvironment(env, home), cwd: home },
    stop: { signal: 'SIGTERM', graceMs: 5000 },
    probe: () => exchange(port, `AUTH ${secrets.redisPassword}\r\nPING\r\n`, /^\+OK\r\n\+PONG\r\n/),
  };
}
