import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ComponentName } from './component.ts';

export const projectDir = resolve(fileURLToPath(new URL('../../', import.meta.url)));

/**
 * Where Node keeps sources compiled, types stripped, by a hash of each: the worker's imports then take half as long (1,010
 * to 580 ms of processor time). `npm start` names the same directory for the launcher itself.
 */
export const compileCache = join(projectDir, 'node_modules/.cache/astra');

export interface StatePaths {
  root: string;
  logs: string;
  /** What clients need to connect; mode 0600. */
  connection: string;
  /** Each component's state for `npm run status`. */
  status: string;
  /** The running launcher: its existence is the lock. */
  launcher: string;
  secrets: string;
  jwks: string;
  artifacts: string;
  /** Where Postgres keeps its data when that cannot be below `root`. */
  postgresHome: string;
  data(name: ComponentName): string;
  log(name: ComponentName): string;
}

/** The files of one local stack; `root` is `.astra` for the project's own. */
export function statePaths(root: string): StatePaths {
  const logs = join(root, 'logs');
  return {
    root,
    logs,
    connection: join(root, 'connection.json'),
    status: join(root, 'status.json'),
    launcher: join(root, 'launcher.pid'),
    secrets: join(root, 'secrets.json'),
    jwks: join(root, 'jwks.json'),
    artifacts: join(root, 'artifacts'),
    postgresHome: join(root, 'postgres-home'),
    data: (name) => join(root, name),
    log: (name) => join(logs, `${name}.log`),
  };
}
