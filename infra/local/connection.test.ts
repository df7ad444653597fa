import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Connection, readConnection, writeConnection } from './connection.ts';

const connection: Connection = {
  apiUrl: 'http://127.0.0.1:8700',
  token: 'secret',
  temporalAddress: '127.0.0.1:7233',
  temporalUiUrl: 'http://127.0.0.1:8233',
  databaseUrl: 'postgresql://127.0.0.1:5433/astra',
  redisUrl: 'redis://127.0.0.1:6390/0',
  memcachedServers: '',
  s3Endpoint: 'http://127.0.0.1:8333',
  processes: { api: 4711 },
};

it('keeps the connection file to its owner, also when a careless one was there, and leaves no other file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'astra-connection-'));
  try {
    const path = join(directory, 'connection.json');
    expect(readConnection(path)).toBeNull();
    await writeFile(path, '{}', { mode: 0o644 });
    writeConnection(path, connection);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(readConnection(path)).toEqual(connection);
    expect(await readdir(directory)).toEqual(['connection.json']);
  } finally {
    await rm(directory, { recursive: true });
  }
});
