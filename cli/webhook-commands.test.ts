import { expect, test } from 'vitest';
import { json, startScriptedServer } from '../sdk/test-support/scripted-server.ts';
import { runInProcess } from './test-support/run-in-process.ts';

const at = '2025-01-01T00:00:00.000Z';
const webhook = {
  id: 'whk_1',
  url: 'https://example.com/hook',
  events: ['goal.*'],
  status: 'enabled',
  createdAt: at,
  disabledAt: null,
};
const delivery = {
  id: 'dlv_1',
  webhookId: 'whk_1',
  goalId: 'gol_1',
  seq: 3,
  type: 'goal.completed',
  status: 'pending',
  attempts: 2,
  createdAt: at,
  lastAttemptAt: at,
  lastResponseStatus: 500,
  lastError: 'the receiver answered 500',
  nextAttemptAt: at,
};

test('a webhook is created and its secret printed, once', async () => {
  const server = await startScriptedServer(() => json({ ...webhook, secret: 'whsec_x' }, 201));
  const args = ['webhook', 'create', webhook.url, '--events', 'goal.*, task.failed'];
  const { stdout, stderr } = await runInProcess(server.url, args);
  expect(stdout).toBe('whk_1 created\nsecret whsec_x\n');
  expect(stderr).toContain('not shown again');
  expect(server.requests[0]).toMatchObject({
    method: 'POST',
    path: '/v1/webhooks',
    body: { url: webhook.url, events: ['goal.*', 'task.failed'] },
  });
});

test('webhooks and their deliveries are listed, and a delivery is sent again', async () => {
  const server = await startScriptedServer(({ method, path }) => {
    if (method === 'POST') return json(delivery, 202);
    return json({ items: [path.endsWith('/deliveries') ? delivery : webhook], nextCursor: null });
  });
  expect((await runInProcess(server.url, ['webhook', 'list'])).stdout).toContain(
    'whk_1  enabled  goal.*  https://example.com/hook',
  );
  const log = await runInProcess(server.url, ['webhook', 'deliveries', 'whk_1', '--status', 'pending']);
  expect(log.stdout).toContain('dlv_1  pending  2      goal.completed');
  expect(log.stdout).toContain('the receiver answered 500');
  expect((await runInProcess(server.url, ['webhook', 'replay', 'whk_1', 'dlv_1'])).stdout).toBe(
    'dlv_1 is sent again\n',
  );
  expect(server.requests.map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
    '/v1/webhooks?',
    '/v1/webhooks/whk_1/deliveries?status=pending&limit=20',
    '/v1/webhooks/whk_1/deliveries/dlv_1/replay?',
  ]);
});

test('secrets of webhooks are replaced, and that of callbacks is read', async () => {
  const server = await startScriptedServer(() => json({ secret: 'whsec_y' }));
  expect((await runInProcess(server.url, ['webhook', 'rotate-secret', 'whk_1'])).stdout).toBe('whsec_y\n');
  expect((await runInProcess(server.url, ['webhook', 'callback-secret'])).stdout).toBe('whsec_y\n');
});

test('webhooks, inbound ones too, are deleted', async () => {
  const server = await startScriptedServer(() => (response) => response.writeHead(204).end());
  expect((await runInProcess(server.url, ['webhook', 'delete', 'whk_1'])).stdout).toBe('whk_1 deleted\n');
  expect((await runInProcess(server.url, ['inbound-webhook', 'delete', 'inb_1'])).stdout).toBe('inb_1 deleted\n');
});

test('an inbound webhook is created from a file, and says where messages are sent to', async () => {
  const definition = {
    name: 'pushes',
    template: 'build',
    params: '{"ref": payload.ref}',
    signature: { scheme: 'github', secret: 'it is a secret' },
  };
  const shown = { ...definition, id: 'inb_1', signature: { scheme: 'github' }, url: 'http://astra.test/hooks/inb_1' };
  const server = await startScriptedServer(({ method, path }) =>
    json(method === 'GET' && !path.endsWith('inb_1') ? { items: [shown], nextCursor: null } : shown),
  );
  const stdin = JSON.stringify(definition);
  const created = await runInProcess(server.url, ['inbound-webhook', 'create', '-'], { stdin });
  expect(created.stdout).toBe('inb_1 created\nsend messages to http://astra.test/hooks/inb_1\n');
  expect((await runInProcess(server.url, ['inbound-webhook', 'replace', 'inb_1', '-'], { stdin })).stdout).toBe(
    'inb_1 replaced\n',
  );
  expect(server.requests.map(({ method, path, body }) => [method, path, body])).toEqual([
    ['POST', '/v1/inbound-webhooks', definition],
    ['PUT', '/v1/inbound-webhooks/inb_1', definition],
  ]);
  expect((await runInProcess(server.url, ['inbound-webhook', 'list'])).stdout).toContain(
    'inb_1  build     github  pushes',
  );
  expect((await runInProcess(server.url, ['inbound-webhook', 'get', 'inb_1'])).stdout).toContain('"scheme": "github"');
});
