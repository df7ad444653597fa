import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestRequest } from '../../api/test-support/test-app.ts';
import { createOutbox } from '../../activities/notifications/outbox.ts';
import { limits } from '../../domain/limits.ts';
import { createSecretBox } from '../../platform/secret-box.ts';
import { createInboundWebhookStore } from '../../stores/postgres/inbound-webhooks.ts';
import { createSigningSecrets } from '../../stores/postgres/signing-secrets.ts';
import { createWebhookStore } from '../../stores/postgres/webhooks.ts';
import { createTemplateStore } from '../../stores/postgres/templates.ts';
import { until } from '../support/until.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, completed, tool } from './record-support.ts';

let api: ApiBench;
let admin: string;
beforeAll(async () => {
  api = await createApiBench();
  admin = await api.app.tokens.sign({ tenant: api.bench.tenant, scope: 'admin' });
});
afterAll(() => api.stop());
afterEach(async () => {
  for (const table of ['webhook_deliveries', 'webhooks', 'secrets', 'inbound_webhooks']) {
    await api.worker.pool.query(`DELETE FROM ${table}`);
  }
});

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly id: string; readonly secret: string };
}
async function call(method: string, path: string, options: TestRequest = {}): Promise<Answer> {
  const response = await api.app.request(path, { method, as: admin, ...options });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Answer['body'] };
}
const stranger = (): Promise<string> => api.app.tokens.sign({ tenant: 'somebody-else', scope: 'admin' });
const hook = { url: 'https://example.com/hook', events: ['goal.*', 'task.failed'] };

describe('webhooks', () => {
  test('are created, listed, read and deleted; the secret is shown once', async () => {
    const created = await call('POST', '/v1/webhooks', { json: hook });
    expect(created.status).toBe(201);
    const { secret, ...webhook } = created.body;
    expect(webhook).toMatchObject({ ...hook, status: 'enabled', disabledAt: null });
    expect(webhook.id).toMatch(/^whk_/);
    expect(secret).toMatch(/^whsec_/);
    const second = await call('POST', '/v1/webhooks', { json: { ...hook, url: 'https://example.com/b' } });
    expect((await call('GET', '/v1/webhooks?limit=1')).body).toMatchObject({ items: [{ id: second.body.id }] });
    const { nextCursor } = (await call('GET', '/v1/webhooks?limit=1')).body;
    expect((await call('GET', `/v1/webhooks?cursor=${String(nextCursor)}`)).body).toEqual({
      items: [webhook],
      nextCursor: null,
    });
    expect((await call('GET', `/v1/webhooks/${webhook.id}`)).body).toEqual(webhook);

    const as = await stranger();
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/rotate-secret'],
    ] as const) {
      expect((await call(method, `/v1/webhooks/${webhook.id}${path}`, { as })).status).toBe(404);
    }
    expect((await call('GET', '/v1/webhooks', { as })).body).toEqual({ items: [], nextCursor: null });

    expect((await call('DELETE', `/v1/webhooks/${webhook.id}`)).status).toBe(204);
    expect((await call('DELETE', `/v1/webhooks/${webhook.id}`)).status).toBe(404);
    const { rows } = await api.worker.pool.query('SELECT name FROM secrets');
    expect(rows).toEqual([{ name: `webhook/${second.body.id}` }]);
  });

  test('are created once for one key; the answer, with its secret, is given again', async () => {
    const headers = { 'idempotency-key': 'one' };
    const first = await call('POST', '/v1/webhooks', { json: hook, headers });
    const again = await call('POST', '/v1/webhooks', { json: hook, headers });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    const other = await call('POST', '/v1/webhooks', { json: { ...hook, events: ['*'] }, headers });
    expect(other).toMatchObject({ status: 409, body: { code: 'ASTRA_IDEMPOTENCY_CONFLICT' } });
    const as = await stranger();
    const theirs = await call('POST', '/v1/webhooks', { json: hook, headers, as });
    expect(theirs.status).toBe(201);
    expect(theirs.body.id).not.toBe(first.body.id);
  });

  test.each([
    ['an unknown field', { ...hook, secret: 'x' }, '/secret'],
    ['a URL that is none', { ...hook, url: 'example.com' }, '/url'],
    ['another scheme', { ...hook, url: 'file:///etc/passwd' }, '/url'],
    ['a password in the URL', { ...hook, url: 'https://a:b@example.com/' }, '/url'],
    ['no events', { ...hook, events: [] }, '/events'],
    ['a glob that names nothing', { ...hook, events: ['goal.*', 'goal.done'] }, '/events/1'],
  ])('with %s are refused', async (_what, json, pointer) => {
    expect(await call('POST', '/v1/webhooks', { json })).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer }] },
    });
  });

  test('are so many of a tenant, and no more', async () => {
    await api.worker.pool.query(
      `INSERT INTO webhooks SELECT $1, 'whk_' || lpad(n::text, 22, '0'), 'https://example.com/', '{*}', now(), NULL
       FROM generate_series(1, $2) AS n`,
      [api.bench.tenant, limits.webhooks],
    );
    expect(await call('POST', '/v1/webhooks', { json: hook })).toMatchObject({
      status: 409,
      body: { code: 'ASTRA_WEBHOOK_LIMIT' },
    });
    expect((await call('POST', '/v1/webhooks', { json: hook, as: await stranger() })).status).toBe(201);
  });

  test('without a key for secrets, nothing can be created, and the answer says what to set', async () => {
    const box = createSecretBox(undefined);
    const { pool } = api.worker;
    const app = await api.startApp({
      tokens: api.app.tokens,
      deps: {
        webhooks: createWebhookStore(pool, box),
        signingSecrets: createSigningSecrets(pool, box),
        inboundWebhooks: createInboundWebhookStore(pool, box),
      },
    });
    for (const [method, path] of [
      ['POST', '/v1/webhooks'],
      ['GET', '/v1/webhooks/callback-secret'],
    ] as const) {
      const response = await app.request(path, { method, as: admin, ...(method === 'POST' && { json: hook }) });
      expect([response.status, await response.json()]).toMatchObject([
        422,
        {
          code: 'ASTRA_SECRETS_NOT_CONFIGURED',
          detail: expect.stringContaining('ASTRA_SECRETS_KEY') as unknown,
        },
      ]);
    }
    expect((await app.request('/v1/webhooks', { as: admin })).status).toBe(200);
  });
});

test('secrets are replaced; that of callbacks is made when it is first asked for', async () => {
  const { body: webhook } = await call('POST', '/v1/webhooks', { json: hook });
  const rotated = await call('POST', `/v1/webhooks/${webhook.id}/rotate-secret`);
  expect(rotated.body.secret).not.toBe(webhook.secret);
  const first = (await call('GET', '/v1/webhooks/callback-secret')).body.secret;
  expect((await call('GET', '/v1/webhooks/callback-secret')).body.secret).toBe(first);
  expect((await call('GET', '/v1/webhooks/callback-secret', { as: await stranger() })).body.secret).not.toBe(first);
  const second = (await call('POST', '/v1/webhooks/callback/rotate-secret')).body.secret;
  expect((await call('GET', '/v1/webhooks/callback-secret')).body.secret).toBe(second);
  expect(second).not.toBe(first);
});

test('deliveries are listed, filtered and replayed; a disabled webhook takes none', async () => {
  const { body: webhook } = await call('POST', '/v1/webhooks', { json: hook });
  const { tenant } = api.bench;
  const findDeliveries = createOutbox({ of: () => new Map([['task.completed', [webhook.id]]]) });
  const worker = await api.bench.start({ findDeliveries });
  const goal = api.bench.newGoal();
  await begin(worker.recorder, goal, [tool('a'), tool('b')]);
  await worker.recorder.record(goal, [completed('a'), completed('b')]);
  const path = `/v1/webhooks/${webhook.id}/deliveries`;
  const list = async (query: string) =>
    (await call('GET', `${path}?${query}`)).body as unknown as { items: { id: string; seq: number }[] };
  const { items } = await list('');
  expect(items).toHaveLength(2);
  expect(items[0]).toMatchObject({
    webhookId: webhook.id,
    goalId: goal.goalId,
    type: 'task.completed',
    status: 'pending',
    attempts: 0,
    lastAttemptAt: null,
    lastResponseStatus: null,
    lastError: null,
    nextAttemptAt: expect.any(String) as unknown,
  });
  expect((await list('status=failed')).items).toEqual([]);
  const [first] = items;
  await worker.pool.query(
    `UPDATE webhook_deliveries SET status = 'failed', response_status = 500, error = 'x', next_attempt_at = NULL
     WHERE tenant = $1 AND delivery_id = $2`,
    [tenant, first!.id],
  );
  expect((await list('status=failed')).items).toMatchObject([{ id: first!.id, lastError: 'x', nextAttemptAt: null }]);
  expect(await call('POST', `${path}/${first!.id}/replay`)).toMatchObject({ status: 202, body: { status: 'pending' } });
  expect((await call('POST', `${path}/dlv_${'0'.repeat(22)}/replay`)).status).toBe(404);
  expect((await call('POST', `/v1/webhooks/callback/deliveries/${first!.id}/replay`)).status).toBe(404);

  await worker.pool.query('UPDATE webhooks SET disabled_at = now()');
  expect(await call('POST', `${path}/${first!.id}/replay`)).toMatchObject({
    status: 409,
    body: { code: 'ASTRA_WEBHOOK_DISABLED' },
  });
  expect((await call('GET', `/v1/webhooks/${webhook.id}`)).body).toMatchObject({ status: 'disabled' });
  await worker.stop();
});

describe('inbound webhooks', () => {
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  const definition = {
    name: 'pushes',
    template: 'greet',
    params: '{"who": payload.sender.name}',
    signature: { scheme: 'standard', secret },
  };
  beforeAll(async () => {
    await createTemplateStore(api.worker.pool).put(api.bench.tenant, {
      name: 'greet',
      description: 'd',
      params: {
        type: 'object',
        properties: { who: { type: 'string' } },
        required: ['who'],
        additionalProperties: false,
      },
      objective: 'greet {{ params.who }}',
      plan: { tasks: [{ id: 'nap', kind: 'wait', seconds: 0 }] },
    });
  });
  const create = async (changes: object = {}) =>
    (await call('POST', '/v1/inbound-webhooks', { json: { ...definition, ...changes } })).body;
  const send = (hookId: string, headers: Record<string, string>, body: string) =>
    call('POST', `/hooks/${hookId}`, { as: null, headers, body });
  const message = '{"sender":{"name":"ann"}}';
  const signed = (id: string, body = message, at = new Date()): Record<string, string> => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  });

  test('are created, listed, replaced and deleted; the secret is never shown', async () => {
    const headers = { 'idempotency-key': 'one' };
    const created = await call('POST', '/v1/inbound-webhooks', { json: definition, headers });
    expect(created).toMatchObject({
      status: 201,
      body: { ...definition, signature: { scheme: 'standard' }, url: `http://astra.test/hooks/${created.body.id}` },
    });
    expect(JSON.stringify(created.body)).not.toContain('whsec_');
    const again = await call('POST', '/v1/inbound-webhooks', { json: definition, headers });
    expect(again).toEqual({ status: 200, body: created.body });
    const otherSecret = { ...definition, signature: { scheme: 'standard', secret: secret.replace('AQ', 'AR') } };
    expect(await call('POST', '/v1/inbound-webhooks', { json: otherSecret, headers })).toMatchObject({ status: 409 });
    const path = `/v1/inbound-webhooks/${created.body.id}`;
    expect((await call('GET', path)).body).toEqual(created.body);
    expect((await call('GET', '/v1/inbound-webhooks')).body).toEqual({ items: [created.body], nextCursor: null });
    const replaced = await call('PUT', path, { json: { ...definition, name: 'other' } });
    expect(replaced).toMatchObject({ status: 200, body: { id: created.body.id, name: 'other' } });
    const as = await stranger();
    expect((await call('GET', path, { as })).status).toBe(404);
    expect((await call('DELETE', path, { as })).status).toBe(404);
    expect((await call('DELETE', path)).status).toBe(204);
    expect((await call('GET', path)).status).toBe(404);
    expect((await send(created.body.id, signed('m'), message)).status).toBe(404);
    expect((await api.worker.pool.query('SELECT 1 FROM secrets')).rows).toEqual([]);
  });

  test.each([
    ['params that are no expression', { params: '{"a": ' }, 422, '/params'],
    ['params of names that are not there', { params: '{"a": item}' }, 422, '/params'],
    ['a template that is not there', { template: 'nothing' }, 422, '/template'],
    ['a scheme that is not known', { signature: { scheme: 'sha1', secret } }, 422, '/signature/scheme'],
    ['a key that is too short', { signature: { scheme: 'github', secret: 'short' } }, 422, '/signature/secret'],
    [
      'a key that is none',
      { signature: { scheme: 'standard', secret: 'not base64 at all' } },
      422,
      '/signature/secret',
    ],
  ])('with %s are refused', async (_what, changes, status, pointer) => {
    expect(await call('POST', '/v1/inbound-webhooks', { json: { ...definition, ...changes } })).toMatchObject({
      status,
      body: { errors: [{ pointer }] },
    });
  });

  test('start a goal of the template for a signed message, and none for its repetition', async () => {
    const { id } = await create();
    const first = await send(id, signed('msg_1'), message);
    expect(first.status).toBe(202);
    const goalId = String(first.body['goalId']);
    expect((await call('GET', `/v1/goals/${goalId}`)).body).toMatchObject({ status: 'accepted', template: 'greet' });
    expect(await send(id, signed('msg_1'), message)).toEqual({ status: 200, body: { goalId } });
    // The same id starts nothing, whatever else is sent under it.
    const changed = '{"sender":{"name":"bob"}}';
    expect(await send(id, signed('msg_1', changed), changed)).toEqual({ status: 200, body: { goalId } });
    const second = await send(id, signed('msg_2'), message);
    expect(second.status).toBe(202);
    expect(second.body['goalId']).not.toBe(goalId);
  });

  test('take GitHub’s and Stripe’s signatures', async () => {
    const key = 'it is a secret';
    const hmac = (text: string): string => createHmac('sha256', key).update(text).digest('hex');
    const github = await create({
      params: '{"who": headers["x-github-event"]}',
      signature: { scheme: 'github', secret: key },
    });
    const headers = {
      'x-github-event': 'push',
      'x-github-delivery': '1',
      'x-hub-signature-256': `sha256=${hmac(message)}`,
    };
    const pushed = await send(github.id, headers, message);
    expect(pushed.status).toBe(202);
    expect(await send(github.id, { ...headers, 'x-github-delivery': '2' }, message)).toEqual({
      status: 200,
      body: pushed.body,
    });
    const stripe = await create({ signature: { scheme: 'stripe', secret: key } });
    const sign = (at: number) => ({ 'stripe-signature': `t=${at},v1=${hmac(`${at}.${message}`)}` });
    const now = Math.floor(Date.now() / 1000);
    const paid = await send(stripe.id, sign(now), message);
    expect(paid.status).toBe(202);
    expect(await send(stripe.id, sign(now - 1), message)).toEqual({ status: 200, body: paid.body });
    expect((await send(stripe.id, sign(now - 400), message)).status).toBe(401);
  });

  test('refuse what is not signed, and say nothing of what was wrong', async () => {
    const { id } = await create();
    const refusals = [
      await send(id, {}, message),
      await send(id, { ...signed('m'), 'webhook-signature': 'v1,AAAA' }, message),
      await send(id, signed('m', '{}'), message),
      await send(id, signed('m', message, new Date(Date.now() - 301_000)), message),
    ];
    for (const { status, body } of refusals) {
      expect([status, { ...body, requestId: '' }]).toEqual([401, { ...refusals[0]!.body, requestId: '' }]);
    }
    expect(refusals[0]!.body).toMatchObject({ code: 'ASTRA_SIGNATURE_INVALID' });
    const response = await api.app.request(`/hooks/${id}`, { method: 'POST', as: null, body: message });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(response.headers.get('www-authenticate')).toBeNull();
  });

  test('say to those who sign what is wrong with the message', async () => {
    const { id } = await create();
    expect(await send(id, signed('a', 'no JSON'), 'no JSON')).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID' },
    });
    expect(await send(id, signed('b', '{}'), '{}')).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_EXPRESSION_FAILED' },
    });
    const wrong = '{"sender":{"name":7}}';
    expect(await send(id, signed('c', wrong), wrong)).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_TEMPLATE_INVALID' },
    });
    const large = JSON.stringify({ sender: { name: 'x'.repeat(1024 * 1024) } });
    expect(await send(id, signed('d', large), large)).toMatchObject({ status: 413 });
  });

  test('count as the tenant’s requests, but only what is signed', async () => {
    const { id } = await create();
    const config = { ...api.app.deps.config, ASTRA_RATE_LIMIT_PER_SECOND: 3 };
    const app = await api.startApp({ tokens: api.app.tokens, deps: { config } });
    const post = (headers: Record<string, string>) =>
      app.request(`/hooks/${id}`, { method: 'POST', as: null, headers, body: message });
    const forged = await Promise.all(Array.from({ length: 10 }, () => post({})));
    expect(new Set(forged.map(({ status }) => status))).toEqual(new Set([401]));
    const all = await Promise.all(Array.from({ length: 10 }, () => post(signed('msg_q'))));
    expect(all.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(4);
    await until(async () => (await post(signed('msg_q'))).ok, 'the next second is another one');
  });
});
