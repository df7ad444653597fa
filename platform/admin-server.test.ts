import { afterEach, expect, test } from 'vitest';
import { startAdminServer, type AdminServer } from './admin-server.ts';
import { createMetrics } from './metrics.ts';

let server: AdminServer | undefined;
afterEach(() => server?.close());

async function get(path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${server?.port}${path}`);
}

test('it is ready while what is required answers, and says what else does not', async () => {
  const down = (): Promise<never> => Promise.reject(new Error('gone'));
  const checks = { worker: () => Promise.resolve(), redis: down };
  server = await startAdminServer({ port: 0, metrics: createMetrics(), checks, required: ['worker'] });
  const response = await get('/readyz');
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({
    status: 'ready',
    dependencies: { worker: { state: 'up' }, redis: { state: 'down', detail: 'gone' } },
  });
});

test('it is not ready when something required does not answer in time', async () => {
  const checks = { worker: () => new Promise(() => undefined) };
  server = await startAdminServer({ port: 0, metrics: createMetrics(), checks, required: ['worker'] });
  const response = await get('/readyz');
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ dependencies: { worker: { detail: 'no answer within 2 s' } } });
});

test('it is alive and has metrics whatever is away', async () => {
  server = await startAdminServer({ port: 0, metrics: createMetrics(), checks: {}, required: [] });
  expect((await get('/livez')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toContain('process_resident_memory_bytes');
  expect((await get('/else')).status).toBe(404);
});
