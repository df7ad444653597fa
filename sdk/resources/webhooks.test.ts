import { expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { drop, inOrder, json, startScriptedServer } from '../test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, token: 'mine', backOff: { baseMs: 1, capMs: 5 } });

test.each(['webhooks', 'inboundWebhooks'] as const)(
  'creating one of %s is tried again with the same key',
  async (resource) => {
    const server = await startScriptedServer(inOrder(drop, json({ id: 'x' }, 201)));
    await client(server.url)[resource].create({} as never);
    const keys = server.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[\w-]{36}$/);
    expect(keys).toEqual([keys[0], keys[0]]);
  },
);

test('a secret is not replaced, nor a delivery sent again, twice on doubt', async () => {
  const server = await startScriptedServer(() => drop);
  const { webhooks } = client(server.url);
  await expect(webhooks.rotateSecret('whk_1')).rejects.toMatchObject({ code: 'ASTRA_CONNECTION' });
  await expect(webhooks.replay('whk_1', 'dlv_1')).rejects.toMatchObject({ code: 'ASTRA_CONNECTION' });
  expect(server.requests.map(({ method, path }) => [method, path])).toEqual([
    ['POST', '/v1/webhooks/whk_1/rotate-secret'],
    ['POST', '/v1/webhooks/whk_1/deliveries/dlv_1/replay'],
  ]);
});

test('deliveries come page after page', async () => {
  const page = (id: string, nextCursor: string | null) => json({ items: [{ id }], nextCursor });
  const server = await startScriptedServer(inOrder(page('dlv_1', 'next'), page('dlv_2', null)));
  const ids: string[] = [];
  for await (const { id } of client(server.url).webhooks.deliveries('callback', { status: 'failed' })) ids.push(id);
  expect(ids).toEqual(['dlv_1', 'dlv_2']);
  expect(server.requests.map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
    '/v1/webhooks/callback/deliveries?status=failed',
    '/v1/webhooks/callback/deliveries?status=failed&cursor=next',
  ]);
});
