import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { goalIdSchema } from '../../domain/schemas/common.ts';

const root = join(import.meta.dirname, '../..');

/** The API as a process of its own; resolves once it listens. */
async function startApi(env: Record<string, string>) {
  const child = spawn(process.execPath, [join(root, 'api/main.ts')], {
    cwd: root,
    env: { ...env, ASTRA_API_PORT: '0', ASTRA_ADMIN_PORT: '0', ASTRA_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[code: number | null]>;
  const lines: string[] = [];
  const listening = Promise.withResolvers<{ url: string; adminPort: number }>();
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    if (line.includes('"listening"')) listening.resolve(JSON.parse(line) as { url: string; adminPort: number });
  });
  void exited.then(([code]) => listening.reject(new Error(`it ended with ${String(code)}: ${lines.join('\n')}`)));
  return { child, exited, lines, ...(await listening.promise) };
}

test('the process serves on both ports, and on SIGTERM lets nobody hang and ends with 0', async () => {
  const { env, connection } = inject('stack');
  const api = await startApi(env);
  try {
    const ready = await fetch(`${api.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([
      200,
      {
        status: 'ready',
        dependencies: {
          temporal: { state: 'up' },
          postgres: { state: 'up' },
          redis: { state: 'up' },
          s3: { state: 'up' },
        },
      },
    ]);
    const headers = { authorization: `Bearer ${connection.token}` };
    expect(await (await fetch(`${api.url}/v1/me`, { headers })).json()).toMatchObject({ tenant: 'default' });
    expect(await (await fetch(`http://127.0.0.1:${api.adminPort}/metrics`)).text()).toContain(
      'astra_http_requests_total{',
    );

    const goalId = goalIdSchema.parse('gol_0123456789abcdefghij');
    const missing = await fetch(`${api.url}/v1/goals/${goalId}/events`, {
      headers: { ...headers, accept: 'text/event-stream' },
    });
    expect(missing.status).toBe(404);
    api.child.kill('SIGTERM');
    expect((await api.exited)[0], api.lines.join('\n')).toBe(0);
  } finally {
    api.child.kill('SIGKILL');
  }
});

test('it starts, and says what is missing, while every server is away', async () => {
  const { ASTRA_JWKS_FILE = '' } = inject('stack').env;
  const nowhere = '127.0.0.1:9';
  const api = await startApi({
    ASTRA_JWKS_FILE,
    TEMPORAL_ADDRESS: nowhere,
    DATABASE_URL: `postgres://${nowhere}/none`,
    REDIS_URL: `redis://${nowhere}`,
    AWS_ENDPOINT_URL_S3: `http://${nowhere}`,
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
  });
  try {
    const ready = await fetch(`${api.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([
      503,
      { status: 'not ready', dependencies: { redis: { state: 'down' } } },
    ]);
    expect((await fetch(`${api.url}/livez`)).status).toBe(200);
    api.child.kill('SIGTERM');
    expect((await api.exited)[0], api.lines.join('\n')).toBe(0);
  } finally {
    api.child.kill('SIGKILL');
  }
});
