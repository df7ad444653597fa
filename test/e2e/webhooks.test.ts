import { createHmac, randomUUID } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Astra, GoalEvent, GoalSubmission, InboundWebhook, Template, WebhookDelivery } from '../../sdk/index.ts';
import { finishedGoal } from '../support/e2e/finished-goal.ts';
import { startReceiver, type ReceivedMessage, type Receiver } from '../support/e2e/receiver.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let receiver: Receiver;
/** Of a tenant of this file's own, so that its webhooks are told of no other test's goals. */
let astra: Astra;
beforeAll(async () => {
  receiver = await startReceiver();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
  astra = await system.clientFor({ tenant: 'hooked', scope: 'admin' });
});
afterAll(async () => {
  await system.stop();
  await receiver.stop();
});

/** Ends when a webhook that was created before is in force: within a second. */
const nap: Task = { id: 'nap', kind: 'wait', seconds: 1 };
const submit = async (rest: Partial<GoalSubmission> = {}, tasks: Task[] = [nap]): Promise<string> =>
  (await astra.goals.submit(goalOf(tasks, null, rest))).id;

interface Envelope {
  readonly type: string;
  readonly timestamp: string;
  readonly data: GoalEvent;
}
/** As a receiver does. */
const verified = ({ body, headers }: ReceivedMessage, secret: string): Envelope =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Envelope;
const messagesAt = (path: string): ReceivedMessage[] => receiver.messages.filter((message) => message.path === path);
async function deliveriesOf(id: string): Promise<WebhookDelivery[]> {
  const deliveries: WebhookDelivery[] = [];
  for await (const delivery of astra.webhooks.deliveries(id)) deliveries.push(delivery);
  return deliveries;
}
async function eventsOf(goalId: string): Promise<GoalEvent[]> {
  const events: GoalEvent[] = [];
  for await (const event of astra.goals.history(goalId)) events.push(event);
  return events;
}

describe('a webhook', () => {
  test('is told of the events it wants, signed, until its receiver accepts them', async () => {
    receiver.answerWith((path, attempt) => (path === '/flaky' && attempt <= 2 ? 503 : 204));
    const { id, secret } = await astra.webhooks.create({
      url: `${receiver.url}/flaky`,
      events: ['goal.completed', 'task.completed'],
    });
    const goalId = await submit();
    await until(async () => {
      const deliveries = await deliveriesOf(id);
      return deliveries.length >= 2 && deliveries.every(({ status }) => status === 'delivered');
    }, 'all is delivered');

    const events = new Map((await eventsOf(goalId)).map((event) => [event.seq, event]));
    const messages = messagesAt('/flaky').map((message) => ({ ...message, ...verified(message, secret) }));
    for (const { type, timestamp, data } of messages) {
      expect(data, 'it is the event that the API shows').toEqual(events.get(data.seq));
      expect([type, timestamp]).toEqual([data.type, data.at]);
    }
    expect(new Set(messages.map(({ type }) => type))).toEqual(new Set(['task.completed', 'goal.completed']));
    const ended = messages.filter(({ type }) => type === 'goal.completed');
    expect(ended.map(({ status }) => status)).toEqual([503, 503, 204]);
    expect(new Set(ended.map(({ headers }) => headers['webhook-id'])).size, 'one id for all attempts').toBe(1);

    const [delivery] = (await deliveriesOf(id)).filter(({ type }) => type === 'goal.completed');
    expect(delivery).toMatchObject({
      id: ended[0]!.headers['webhook-id'],
      webhookId: id,
      goalId,
      status: 'delivered',
      attempts: 3,
      lastResponseStatus: 204,
      lastError: null,
      nextAttemptAt: null,
    });

    // And again, on demand.
    const again = await astra.webhooks.replay(id, delivery!.id);
    expect(again).toMatchObject({ id: delivery!.id, status: 'pending' });
    await until(() => messagesAt('/flaky').length === messages.length + 1, 'it is sent once more');
    expect(messagesAt('/flaky').at(-1)).toMatchObject({ headers: { 'webhook-id': delivery!.id }, status: 204 });
    await astra.webhooks.delete(id);
    await expect(astra.webhooks.get(id)).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('is told of every goal, though its worker is killed while messages are under way', async () => {
    receiver.answerWith((path, attempt) => (path === '/killed' && attempt === 1 ? null : 204));
    const { id } = await astra.webhooks.create({ url: `${receiver.url}/killed`, events: ['goal.completed'] });
    const goals = await Promise.all(Array.from({ length: 20 }, () => submit()));
    await until(() => messagesAt('/killed').length >= 5, 'messages are under way');
    system.kill('worker');
    await until(
      async () => (await deliveriesOf(id)).filter(({ status }) => status === 'delivered').length === goals.length,
      'all is delivered',
      { timeoutSeconds: 120 },
    );
    const accepted = messagesAt('/killed').filter(({ status }) => status === 204);
    const told = new Set(accepted.map(({ body }) => (JSON.parse(body) as Envelope).data.goalId as string));
    expect(told).toEqual(new Set(goals));
    await astra.webhooks.delete(id);
  });

  test('is signed with both secrets after one was replaced', async () => {
    receiver.answerWith(() => 204);
    const { id, secret } = await astra.webhooks.create({ url: `${receiver.url}/rotated`, events: ['goal.completed'] });
    const newSecret = await astra.webhooks.rotateSecret(id);
    await submit();
    await until(() => messagesAt('/rotated').length > 0, 'the message comes');
    const [message] = messagesAt('/rotated');
    expect(verified(message!, newSecret)).toEqual(verified(message!, secret));
    await astra.webhooks.delete(id);
  });

  test('whose receiver answers 410 is disabled', async () => {
    receiver.answerWith(() => 410);
    const { id } = await astra.webhooks.create({ url: `${receiver.url}/gone`, events: ['goal.completed'] });
    await submit();
    await until(async () => (await astra.webhooks.get(id)).status === 'disabled', 'it is disabled');
    expect(await deliveriesOf(id)).toMatchObject([{ status: 'failed', attempts: 1, lastResponseStatus: 410 }]);
    await astra.webhooks.delete(id);
  });

  test('is not followed to another place, nor to one that the operator does not allow', async () => {
    const { id } = await astra.webhooks.create({ url: 'http://169.254.169.254/latest', events: ['goal.completed'] });
    await submit();
    await until(async () => (await deliveriesOf(id))[0]?.status === 'failed', 'it is given up');
    expect(await deliveriesOf(id)).toMatchObject([
      { attempts: 1, lastError: expect.stringContaining('ASTRA_EGRESS_DENIED') as unknown },
    ]);
    await astra.webhooks.delete(id);
  });
});

describe('a goal’s callbackUrl', () => {
  test('is told of its end and of nothing else, and not of its sub-goals’', async () => {
    receiver.answerWith(() => 204);
    const callbackUrl = `${receiver.url}/callback`;
    const goalId = await submit({ callbackUrl }, [
      echo('a', 1),
      child('sub', goalOf([echo('b', 2)]), { after: ['a'] }),
    ]);
    const { view, events } = await finishedGoal(astra, goalId);
    expect(view).toMatchObject({ status: 'completed', callbackUrl });
    await until(() => messagesAt('/callback').length > 0, 'the message comes');
    await until(
      async () => (await deliveriesOf('callback')).every(({ status }) => status === 'delivered'),
      'nothing is left',
    );
    expect(messagesAt('/callback')).toHaveLength(1);
    const secret = await astra.webhooks.callbackSecret();
    expect(verified(messagesAt('/callback')[0]!, secret)).toMatchObject({
      type: 'goal.completed',
      data: events.at(-1),
    });
  });

  test('is told of a goal that is done in one go, and of one that fails', async () => {
    receiver.answerWith(() => 204);
    const quick = await submit({ callbackUrl: `${receiver.url}/quick` }, [echo('a', 1)]);
    const broken: Task = { id: 'a', kind: 'tool', tool: 'code.javascript', input: { code: '() => { throw 1 }' } };
    const failed = await submit({ callbackUrl: `${receiver.url}/failed` }, [broken]);
    await until(() => messagesAt('/quick').length + messagesAt('/failed').length === 2, 'both messages come');
    const told = (path: string) => JSON.parse(messagesAt(path)[0]!.body) as Envelope;
    expect(told('/quick')).toMatchObject({ type: 'goal.completed', data: { goalId: quick } });
    expect(told('/failed')).toMatchObject({ type: 'goal.failed', data: { goalId: failed } });
  });

  test('tells what is wrong with it when the goal is submitted', async () => {
    await expect(submit({ callbackUrl: 'ftp://example.com/' })).rejects.toMatchObject({
      code: 'ASTRA_BODY_INVALID',
      faults: [{ pointer: '/callbackUrl' }],
    });
  });
});

describe('an inbound webhook', () => {
  const template: Template = {
    name: 'greet',
    description: 'Greets.',
    params: { type: 'object', properties: { who: { type: 'string' } }, required: ['who'] },
    objective: 'Greet {{ params.who }}',
    plan: { tasks: [echo('say', 'hello {{ params.who }}')], output: '{{ tasks.say.output }}' },
  };
  const standardSecret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
  const secret = `it is a secret ${randomUUID()}`;
  const hmac = (text: string, key = secret): string => createHmac('sha256', key).update(text).digest('hex');
  beforeAll(() => astra.templates.put(template));

  const create = (scheme: InboundWebhook['signature']['scheme']): Promise<InboundWebhook> =>
    astra.inboundWebhooks.create({
      name: scheme,
      template: 'greet',
      params: '{"who": payload.user.name}',
      signature: { scheme, secret: scheme === 'standard' ? standardSecret : secret },
    });
  const bodyFor = (name: string): string => JSON.stringify({ user: { name } });
  const send = async ({ url }: InboundWebhook, body: string, headers: Record<string, string>) => {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.status, body: (await response.json()) as { goalId: string; code?: string } };
  };
  const seconds = (): number => Math.floor(Date.now() / 1000);
  const schemes = {
    standard: (body: string, key = standardSecret, at = seconds()) => ({
      'webhook-id': `msg_${hmac(body, 'id').slice(0, 16)}`,
      'webhook-timestamp': String(at),
      'webhook-signature': new Webhook(key).sign(`msg_${hmac(body, 'id').slice(0, 16)}`, new Date(at * 1000), body),
    }),
    github: (body: string, key = secret) => ({
      'x-github-event': 'push',
      'x-github-delivery': randomUUID(),
      'x-hub-signature-256': `sha256=${hmac(body, key)}`,
    }),
    stripe: (body: string, key = secret, at = seconds()) => ({
      'stripe-signature': `t=${at},v1=${hmac(`${at}.${body}`, key)}`,
    }),
  };

  test.each(['standard', 'github', 'stripe'] as const)(
    'starts one goal for a message signed as by %s, however often it comes, and none for a forged one',
    async (scheme) => {
      const hook = await create(scheme);
      const body = bodyFor(scheme);
      const first = await send(hook, body, schemes[scheme](body));
      expect(first.status).toBe(202);
      const goal = await finishedGoal(astra, first.body.goalId);
      expect(goal.view).toMatchObject({ status: 'completed', template: 'greet', output: `hello ${scheme}` });

      expect(await send(hook, body, schemes[scheme](body)), 'replayed').toEqual({ status: 200, body: first.body });
      const other = scheme === 'standard' ? `whsec_${Buffer.alloc(32, 6).toString('base64')}` : 'another secret';
      for (const headers of [schemes[scheme](body, other), schemes[scheme](bodyFor('somebody else')), {}]) {
        const refused = await send(hook, body, headers);
        expect(refused, 'forged').toMatchObject({ status: 401, body: { code: 'ASTRA_SIGNATURE_INVALID' } });
      }
      const page = await astra.goals.list({ template: 'greet' });
      expect(page.items.filter(({ objective }) => objective === `Greet ${scheme}`)).toHaveLength(1);
      await astra.inboundWebhooks.delete(hook.id);
      expect((await send(hook, body, schemes[scheme](body))).status).toBe(404);
    },
  );

  test.each(['standard', 'stripe'] as const)('refuses what %s signed long ago', async (scheme) => {
    const hook = await create(scheme);
    const body = bodyFor('late');
    const key = scheme === 'standard' ? standardSecret : secret;
    expect((await send(hook, body, schemes[scheme](body, key, seconds() - 400))).status).toBe(401);
    expect((await send(hook, body, schemes[scheme](body, key, seconds() - 200))).status).toBe(202);
  });

  test('takes what another Astra sends', async () => {
    receiver.answerWith(() => 204);
    // Its webhook signs with a secret that the other one's inbound webhook is given.
    const { id, secret: shared } = await astra.webhooks.create({
      url: `${receiver.url}/relay`,
      events: ['goal.completed'],
    });
    const hook = await astra.inboundWebhooks.create({
      name: 'relay',
      template: 'greet',
      params: '{"who": payload.data.goalId}',
      signature: { scheme: 'standard', secret: shared },
    });
    await submit();
    await until(() => messagesAt('/relay').length > 0, 'a message comes');
    await astra.webhooks.delete(id);
    const { body, headers } = messagesAt('/relay')[0]!;
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    const relayed = await send(hook, body, Object.fromEntries(names.map((name) => [name, String(headers[name])])));
    expect(relayed.status).toBe(202);
    const goal = await finishedGoal(astra, relayed.body.goalId);
    expect(goal.view.output).toBe(`hello ${(JSON.parse(body) as Envelope).data.goalId}`);
  });
});

test('nothing unexpected was logged, and no secret', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  expect(JSON.stringify(lines)).not.toContain('whsec_');
});
