import { afterAll, beforeAll, expect, test } from 'vitest';
import { limits as bounds } from '../../domain/limits.ts';
import { createApiBench, type ApiBench } from './api-support.ts';

let api: ApiBench;
let as: string;
beforeAll(async () => {
  api = await createApiBench();
  as = await api.app.tokens.sign({ tenant: api.bench.tenant, scope: 'admin' });
});
afterAll(() => api.stop());

async function put(name: string, json: unknown, token = as) {
  const response = await api.app.request(`/v1/limits/${name}`, { method: 'PUT', json, as: token });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
const perCustomer = { key: 'goal.labels.customer', concurrency: 2, strategy: 'queue' };

test('a limit is created, changed, read, listed by name and deleted', async () => {
  expect(await put('b', perCustomer)).toMatchObject({
    status: 201,
    body: { name: 'b', ...perCustomer, holding: 0, waiting: 0 },
  });
  expect(await put('b', { ...perCustomer, concurrency: 5 })).toMatchObject({ status: 200, body: { concurrency: 5 } });
  await put('a', { of: 'task', key: 'tool', rate: { limit: 10, perSeconds: 60 }, strategy: 'reject' });
  expect(await api.get('/v1/limits/b')).toMatchObject({ status: 200, body: { concurrency: 5 } });
  const first = (await api.get('/v1/limits?limit=1')).body as { items: unknown[]; nextCursor: string };
  expect(first.items).toMatchObject([{ name: 'a', of: 'task' }]);
  expect((await api.get(`/v1/limits?cursor=${first.nextCursor}`)).body).toMatchObject({
    items: [{ name: 'b' }],
    nextCursor: null,
  });
  const remove = () => api.app.request('/v1/limits/b', { method: 'DELETE', as });
  expect((await remove()).status).toBe(204);
  expect((await remove()).status).toBe(404);
  expect(await api.get('/v1/limits/b')).toMatchObject({ status: 404 });
});

test('a limit is its tenant’s own, and changed with the scope `admin` only', async () => {
  await put('own', perCustomer);
  const stranger = await api.app.tokens.sign({ tenant: 'somebody-else', scope: 'admin' });
  expect(await api.get('/v1/limits/own', { as: stranger })).toMatchObject({ status: 404 });
  expect((await api.get('/v1/limits', { as: stranger })).body).toEqual({ items: [], nextCursor: null });
  const writer = await api.app.tokens.sign({ tenant: api.bench.tenant });
  expect(await put('own', perCustomer, writer)).toMatchObject({ status: 403, body: { code: 'ASTRA_FORBIDDEN' } });
});

test('a tenant has no more limits than the bound, and may still change those that it has', async () => {
  const tenant = 'many-limits';
  const own = await api.app.tokens.sign({ tenant, scope: 'admin' });
  const names = Array.from({ length: bounds.flowLimits }, (_, n) => `limit-${n}`);
  for (const name of names) expect((await put(name, perCustomer, own)).status).toBe(201);
  expect(await put('one-more', perCustomer, own)).toMatchObject({ status: 422, body: { code: 'ASTRA_BODY_INVALID' } });
  expect((await put('limit-0', perCustomer, own)).status).toBe(200);
});

test.each([
  ['nothing to count by', { key: "'all'", strategy: 'queue' }, ''],
  ['a key that is no expression', { ...perCustomer, key: '1 +' }, '/key'],
  ['a misspelt name in the key', { ...perCustomer, key: 'goal.lables.customer' }, '/key'],
  ['a tool in a key of goals', { ...perCustomer, key: 'tool' }, '/key'],
  [
    'cancelling for a rate',
    { key: "'all'", rate: { limit: 1, perSeconds: 1 }, strategy: 'cancel_oldest' },
    '/strategy',
  ],
  ['cancelling calls', { ...perCustomer, of: 'task', strategy: 'cancel_oldest' }, '/strategy'],
  ['no place at all', { ...perCustomer, concurrency: 0 }, '/concurrency'],
  ['an unknown field', { ...perCustomer, burst: 3 }, '/burst'],
])('%s is refused, and the answer says where', async (_, json, pointer) => {
  const { status, body } = await put('refused', json);
  expect({ status, code: body['code'] }).toEqual({ status: 422, code: 'ASTRA_BODY_INVALID' });
  expect(body['errors']).toMatchObject([{ pointer }]);
});
