import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AstraError } from '../../domain/errors.ts';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import type { ClaimedDelivery } from '../../stores/postgres/delivery-queue.ts';
import { createEgressPolicy } from '../tools/egress-policy.ts';
import { createSendDelivery } from './send-delivery.ts';

const received: { headers: IncomingHttpHeaders; body: string; url: string | undefined }[] = [];
let answer: (response: ServerResponse) => void = () => undefined;
const server = createServer((request, response) => {
  void readText(request).then((body) => {
    received.push({ headers: request.headers, body, url: request.url });
    answer(response);
  });
});
let origin = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received.length = 0;
  answer = (response) => response.writeHead(204).end();
});

const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const [current, earlier] = [secretOf(1), secretOf(2)];
const secrets = { read: async () => [current, earlier], ensure: async () => current };
const send = createSendDelivery({ egress: createEgressPolicy(['127.0.0.1']), secrets, timeoutMs: 300 });
const never = new AbortController().signal;

const goalId = goalIdSchema.parse('gol_0123456789abcdefghij');
const delivery = (rest: Partial<ClaimedDelivery> = {}): ClaimedDelivery => ({
  tenant: 'a',
  id: 'dlv_1',
  webhookId: 'whk_1',
  endpoint: 'whk_1',
  attempts: 1,
  isLast: false,
  url: `${origin}/hook?x=1`,
  event: {
    goalId,
    seq: 7,
    type: 'goal.completed',
    taskId: null,
    attempt: 1,
    at: '2026-01-01T00:00:00.000Z',
    data: { output: { text: 'ä' } },
  },
  ...rest,
});

test('a message is the event in its envelope, signed by the specification with each of the secrets', async () => {
  expect(await send(delivery(), never)).toEqual({ outcome: 'delivered', responseStatus: 204, error: null });
  const [message] = received;
  expect(message?.url).toBe('/hook?x=1');
  expect(message?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'dlv_1' });
  for (const secret of [current, earlier]) {
    // Verified as a receiver does.
    expect(new Webhook(secret).verify(message!.body, message!.headers as Record<string, string>)).toEqual({
      type: 'goal.completed',
      timestamp: '2026-01-01T00:00:00.000Z',
      data: delivery().event,
    });
  }
  const forged = { ...(message!.headers as Record<string, string>), 'webhook-id': 'dlv_2' };
  expect(() => new Webhook(current).verify(message!.body, forged)).toThrow();
});

test('the first callback of a tenant is signed with a secret that is made for it', async () => {
  const made = secretOf(3);
  const sending = createSendDelivery({
    egress: createEgressPolicy(['127.0.0.1']),
    secrets: { read: async () => [], ensure: async () => made },
  });
  expect(await sending(delivery({ webhookId: 'callback' }), never)).toMatchObject({ outcome: 'delivered' });
  const [message] = received;
  expect(() => new Webhook(made).verify(message!.body, message!.headers as Record<string, string>)).not.toThrow();
  // Of a webhook that was deleted meanwhile there is no secret: nothing is sent unsigned.
  expect(await sending(delivery(), never)).toMatchObject({ outcome: 'refused' });
  expect(received).toHaveLength(1);
});

describe('what comes of an answer:', () => {
  test.each([
    [200, 'delivered'],
    [299, 'delivered'],
    [302, 'retry'],
    [400, 'retry'],
    [410, 'gone'],
    [500, 'retry'],
  ] as const)('%d is %s', async (status, outcome) => {
    answer = (response) => response.writeHead(status, { location: `${origin}/elsewhere` }).end('x'.repeat(100_000));
    expect(await send(delivery(), never)).toMatchObject({ outcome, responseStatus: status });
    expect(received, 'no redirect is followed').toHaveLength(1);
  });

  test('410 to a callback is its end alone', async () => {
    answer = (response) => response.writeHead(410).end();
    expect(await send(delivery({ webhookId: 'callback' }), never)).toMatchObject({ outcome: 'refused' });
  });
});

describe('without an answer it is tried again:', () => {
  test('when none comes in time', async () => {
    answer = () => undefined;
    expect(await send(delivery(), never)).toEqual({
      outcome: 'retry',
      responseStatus: null,
      error: 'no answer within 0.3 s',
    });
  });

  test('when the connection is cut, or refused', async () => {
    answer = (response) => response.destroy();
    expect(await send(delivery(), never)).toMatchObject({ outcome: 'retry', responseStatus: null });
    const refused = await send(delivery({ url: 'http://127.0.0.1:9/' }), never);
    expect(refused).toMatchObject({ outcome: 'retry', error: 'ECONNREFUSED' });
  });

  test('when the process ends meanwhile', async () => {
    answer = () => undefined;
    const ending = new AbortController();
    const sending = send(delivery(), ending.signal);
    ending.abort();
    expect(await sending).toMatchObject({ outcome: 'retry', responseStatus: null });
  });

  test('when the secrets cannot be read', async () => {
    const away = new AstraError('ASTRA_UNAVAILABLE', 'Postgres does not answer.');
    const sending = createSendDelivery({
      egress: createEgressPolicy(['127.0.0.1']),
      secrets: { read: () => Promise.reject(away), ensure: () => Promise.reject(away) },
    });
    expect(await sending(delivery(), never)).toMatchObject({
      outcome: 'retry',
      error: expect.stringContaining('ASTRA_UNAVAILABLE') as unknown,
    });
    expect(received).toEqual([]);
  });
});

test('what the egress policy does not allow is refused for good, by address or by name', async () => {
  const denying = createSendDelivery({ egress: createEgressPolicy([]), secrets });
  for (const url of [`${origin}/hook`, 'http://localhost:1/hook']) {
    expect(await denying(delivery({ url }), never)).toMatchObject({
      outcome: 'refused',
      error: expect.stringContaining('ASTRA_EGRESS_DENIED') as unknown,
    });
  }
  expect(received).toEqual([]);
});

test('what has no receiver or no event any more is refused', async () => {
  expect(await send(delivery({ url: null }), never)).toMatchObject({ outcome: 'refused' });
  expect(await send(delivery({ event: null }), never)).toMatchObject({ outcome: 'refused' });
  expect(received).toEqual([]);
});
