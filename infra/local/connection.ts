import { readFileSync } from 'node:fs';
import { writeFileAtomically } from './write-file-atomically.ts';

/** What a client of the local stack needs to know: `.astra/connection.json`. */
export interface Connection {
  apiUrl: string;
  token: string;
  temporalAddress: string;
  temporalUiUrl: string;
  databaseUrl: string;
  redisUrl: string;
  /** Empty when no Memcached is there: its answers are then cached in Redis. */
  memcachedServers: string;
  s3Endpoint: string;
  /** Component name to pid, of those that run. */
  processes: Record<string, number>;
}

export function writeConnection(path: string, connection: Connection): void {
  writeFileAtomically(path, `${JSON.stringify(connection, null, 2)}\n`, 0o600);
}

/** The running stack's connection, or null when the file is not there. */
export function readConnection(path: string): Connection | null {
  try {
    // Our own file, replaced atomically: whole when it is there.
    return JSON.parse(readFileSync(path, 'utf8')) as Connection;
  } catch {
    return null;
  }
}
