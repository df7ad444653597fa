import { mkdirSync } from 'node:fs';
import type { Component } from '../component.ts';
import { exchange } from './exchange.ts';
import { serverEnvironment, type ServerContext } from './server-context.ts';

/** Memcached for tool, model and embedding answers; TCP on loopback only. */
export async function createMemcached(context: ServerContext): Promise<Component> {
  const home = context.paths.data('memcached');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const port = await context.ports.take('memcached');
  const args = ['-l', '127.0.0.1', '-p', String(port), '-U', '0', '-m', '128', '-c', '1024', '-I', '2m'];
  // It will not run as root unless told as whom; it keeps no files, so that any user will do.
  if (process.getuid?.() === 0) args.push('-u', 'nobody');
  return {
    name: 'memcached',
    version: context.binary.version,
    port,
    command: { file: context.binary.path, args, env: serverEnvironment(context.env, home), cwd: home },
    stop: { signal: 'SIGTERM', graceMs: 3000 },
    probe: () => exchange(port, 'version\r\n', /^VERSION .*\r\n/),
  };
}
