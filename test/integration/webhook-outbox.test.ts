import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createDispatcher, type Dispatcher } from '../../activities/notifications/dispatcher.ts';
import { createOutbox } from '../../activities/notifications/outbox.ts';
import type { Attempt } from '../../activities/notifications/send-delivery.ts';
import type { FindDeliveries } from '../../activities/projection/fold.ts';
import { prefixedId } from '../../domain/ids.ts';
import { createSecretBox } from '../../platform/secret-box.ts';
import { createDeliveryLog } from '../../stores/postgres/delivery-log.ts';
import { createDeliveryQueue, type ClaimedDelivery } from '../../stores/postgres/delivery-queue.ts';
import { rebuildGoal } from '../../stores/postgres/rebuild-goal.ts';
import { createSigningSecrets, secretNames } from '../../stores/postgres/signing-secrets.ts';
import { createWebhookStore } from '../../stores/postgres/webhooks.ts';
import { announceWebhookChange, createWebhookSubscriptions } from '../../stores/webhook-subscriptions.ts';
import { until } from '../support/until.ts';
import { begin, completed, createRecordBench, draft, tool, type Process, type RecordBench } from './record-support.ts';

const key = randomBytes(32).toString('base64');
const box = createSecretBox({ reveal: () => key });
const noLog = { warn: () => undefined };
let bench: RecordBench;
let store: Process;
beforeAll(async () => {
  bench = await createRecordBench();
  store = await bench.start();
});
afterAll(() => bench.stop());
afterEach(async () => {
  for (const table of ['webhook_deliveries', 'webhooks', 'secrets']) await store.pool.query(`DELETE FROM ${table}`);
});

const newWebhook = async (events: string[], tenant = bench.tenant): Promise<string> => {
  const id = prefixedId('whk', randomBytes(16));
  const webhooks = createWebhookStore(store.pool, box);
  const created = await webhooks.create(tenant, { id, url: 'https://example.com/', events, secret: 'whsec_x' });
  return created!.id;
};
/** A recorder of a process that sends the events of these types to these webhooks. */
const sendingTo = (tenants: Record<string, Record<string, string[]>>): FindDeliveries =>
  createOutbox({ of: (tenant) => new Map(Object.entries(tenants[tenant] ?? {})) as never });
const rows = async (where = 'true') =>
  (
    await store.pool.query<{ webhook_id: string; type: string; seq: number; status: string; error: string | null }>(
      `SELECT * FROM webhook_deliveries WHERE ${where} ORDER BY created_at, seq`,
    )
  ).rows;
const ended = draft('goal.completed', { output: 1 });

describe('deliveries', () => {
  test('are written with their events, once, whoever records them', async () => {
    const webhookId = await newWebhook(['*']);
    const findDeliveries = sendingTo({
      [bench.tenant]: { 'task.completed': [webhookId], 'goal.completed': [webhookId] },
    });
    const [one, two] = await Promise.all([bench.start({ findDeliveries }), bench.start({ findDeliveries })]);
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a')], { callbackUrl: 'https://example.com/done' });
    await Promise.all([one, two, one].map(({ recorder }) => recorder.record(goal, [completed('a'), ended])));
    expect((await rows()).map(({ webhook_id, type, seq, status }) => [webhook_id, type, seq, status])).toEqual([
      [webhookId, 'task.completed', 3, 'pending'],
      [webhookId, 'goal.completed', 4, 'pending'],
      ['callback', 'goal.completed', 4, 'pending'],
    ]);
    // What is made anew is the goal's rows; nobody is told again.
    await rebuildGoal(one.pool, goal);
    expect(await rows()).toHaveLength(3);
    await Promise.all([one.stop(), two.stop()]);
  });

  test('are not written for a commit that fails', async () => {
    const webhookId = await newWebhook(['*']);
    const process = await bench.start({
      findDeliveries: sendingTo({ [bench.tenant]: { 'task.completed': [webhookId] } }),
    });
    const goal = bench.newGoal();
    await begin(process.recorder, goal, [tool('a')]);
    // Postgres refuses it for its data.
    const poisoned = { ...completed('a'), attempt: 2 ** 40 };
    await expect(process.recorder.record(goal, [poisoned])).rejects.toMatchObject({ code: 'ASTRA_INTERNAL' });
    expect(await rows()).toEqual([]);
    await process.stop();
  });
});

test('a new webhook is known to every worker within a second, with Redis and without; a deleted one is forgotten', async () => {
  const webhooks = createWebhookStore(store.pool, box);
  const away = await bench.start({ redisUrl: 'redis://127.0.0.1:9', awaitCache: false });
  const known = [store, away].map(({ redis }) =>
    createWebhookSubscriptions({ store: webhooks, redis }, { logger: noLog }),
  );
  await Promise.all(known.map(({ loaded }) => loaded));
  expect(known.map((each) => each.of(bench.tenant))).toEqual([undefined, undefined]);
  const begun = performance.now();
  const id = await newWebhook(['task.failed', 'task.*']);
  await announceWebhookChange(store.redis);
  for (const each of known) {
    await until(() => each.of(bench.tenant) !== undefined, 'the webhook is known');
    expect(each.of(bench.tenant)?.get('task.failed')).toEqual([id]);
    expect(each.of(bench.tenant)?.get('goal.failed')).toBeUndefined();
  }
  // A poll comes each second, and the query takes a moment.
  expect(performance.now() - begun).toBeLessThan(1_500);
  await webhooks.delete(bench.tenant, id);
  await until(() => known[1]!.of(bench.tenant) === undefined, 'it is forgotten');
  for (const each of known) each.close();
  await away.stop();
});

describe('the queue', () => {
  /** So many deliveries for each webhook, due now. */
  async function fill(counts: Record<string, number>): Promise<void> {
    const findDeliveries = sendingTo({ [bench.tenant]: { 'task.completed': Object.keys(counts) } });
    const process = await bench.start({ findDeliveries });
    const goal = bench.newGoal();
    const ids = Array.from({ length: Math.max(...Object.values(counts)) }, (_, n) => `t${n}`);
    await begin(
      process.recorder,
      goal,
      ids.map((id) => tool(id)),
    );
    await process.recorder.record(
      goal,
      ids.map((id) => completed(id)),
    );
    for (const [id, count] of Object.entries(counts)) {
      await store.pool.query('DELETE FROM webhook_deliveries WHERE endpoint = $1 AND seq > $2', [id, 2 + count]);
    }
    await process.stop();
  }
  const claiming = { limit: 100, perEndpoint: 10, leaseSeconds: 30, rooms: [] };

  test('gives each delivery to one process, with its event and where it goes', async () => {
    const id = await newWebhook(['*']);
    await fill({ [id]: 30 });
    const other = await bench.start();
    const queues = [createDeliveryQueue(store.pool), createDeliveryQueue(other.pool)];
    const claimed = (await Promise.all([...queues, ...queues].map((queue) => queue.claim(claiming)))).flat();
    const more = (await queues[0]!.claim(claiming)).concat(await queues[0]!.claim(claiming));
    const all = [...claimed, ...more];
    expect(new Set(all.map((delivery) => delivery.id)).size).toBe(30);
    expect(all).toHaveLength(30);
    expect(all[0]).toMatchObject({
      tenant: bench.tenant,
      webhookId: id,
      attempts: 1,
      isLast: false,
      url: 'https://example.com/',
      event: { type: 'task.completed', attempt: 1, data: { startedAt: expect.any(String) as unknown } },
    });
    await other.stop();
  });

  test('gives no endpoint more than it has room for, whatever waits for others', async () => {
    const [busy, full, idle] = [await newWebhook(['*']), await newWebhook(['*']), await newWebhook(['*'])];
    await fill({ [busy]: 40, [full]: 40, [idle]: 3 });
    const { tenant } = bench;
    const rooms = [
      { tenant, endpoint: full, room: 0 },
      { tenant, endpoint: busy, room: 2 },
    ];
    const claimed = await createDeliveryQueue(store.pool).claim({ ...claiming, rooms });
    const counts = Object.groupBy(claimed, ({ endpoint }) => endpoint);
    expect([counts[busy]?.length, counts[full]?.length, counts[idle]?.length]).toEqual([2, undefined, 3]);
    expect(await createDeliveryQueue(store.pool).claim({ ...claiming, rooms, limit: 1 })).toHaveLength(1);
  });

  test('gives what its process did not settle again when its lease is over, and then the first one settles nothing', async () => {
    const id = await newWebhook(['*']);
    await fill({ [id]: 1 });
    const queue = createDeliveryQueue(store.pool);
    const [lost] = await queue.claim({ ...claiming, leaseSeconds: 0 });
    const [again] = await queue.claim(claiming);
    expect(again).toMatchObject({ id: lost!.id, attempts: 2 });
    expect(await queue.claim(claiming)).toEqual([]);
    await queue.settle(lost!, 'failed', { responseStatus: null, error: 'late', retryMs: 0 });
    expect(await rows()).toMatchObject([{ status: 'pending', error: null }]);
    await queue.settle(again!, 'delivered', { responseStatus: 200, error: null, retryMs: 0 });
    expect(await rows()).toMatchObject([{ status: 'delivered', next_attempt_at: null, response_status: 200 }]);
  });

  test('forgets what was settled long ago, and only that', async () => {
    const id = await newWebhook(['*']);
    await fill({ [id]: 3 });
    await store.pool.query(
      `UPDATE webhook_deliveries SET status = 'delivered', next_attempt_at = NULL,
        settled_at = now() - (seq - 2) * interval '20 days' WHERE seq < 5`,
    );
    const queue = createDeliveryQueue(store.pool);
    await queue.deleteSettled({ olderThanDays: 30 });
    expect((await rows()).map(({ seq }) => seq)).toEqual([3, 5]);
  });

  describe('and the dispatcher', () => {
    let dispatcher: Dispatcher | undefined;
    let sent: ClaimedDelivery[] = [];
    let answer: (delivery: ClaimedDelivery) => Attempt['outcome'] | Promise<Attempt['outcome']>;
    let disabled = 0;
    let warnings = 0;
    beforeEach(() => {
      sent = [];
      disabled = 0;
      warnings = 0;
      answer = () => 'delivered';
    });
    afterEach(async () => {
      await dispatcher?.close();
    });
    function start(): void {
      dispatcher = createDispatcher({
        queue: createDeliveryQueue(store.pool),
        async send(delivery) {
          sent.push(delivery);
          const outcome = await answer(delivery);
          return { outcome, responseStatus: null, error: outcome === 'delivered' ? null : outcome };
        },
        logDays: 30,
        onDisabled: () => (disabled += 1),
        onAttempted: () => undefined,
        logger: { warn: () => void (warnings += 1) },
      });
    }

    test('send everything, though one receiver never answers', async () => {
      const [dead, alive] = [await newWebhook(['*']), await newWebhook(['*'])];
      await fill({ [dead]: 60, [alive]: 60 });
      const hanging = Promise.withResolvers<Attempt['outcome']>();
      answer = ({ endpoint }) => (endpoint === dead ? hanging.promise : 'delivered');
      start();
      await until(
        async () => (await rows(`status = 'delivered'`)).length === 60,
        'all that can be delivered is delivered',
      );
      expect(sent.filter(({ endpoint }) => endpoint === dead)).toHaveLength(10);
      hanging.resolve('retry');
    });

    test('try again what failed, later each time', async () => {
      const id = await newWebhook(['*']);
      await fill({ [id]: 1 });
      answer = ({ attempts }) => (attempts < 3 ? 'retry' : 'delivered');
      start();
      await until(async () => (await rows())[0]?.status === 'delivered', 'the third attempt succeeds');
      expect(sent.map(({ attempts }) => attempts)).toEqual([1, 2, 3]);
    });

    test('give up after 24 hours, with what has waited as long', async () => {
      const id = await newWebhook(['*']);
      await fill({ [id]: 4 });
      await store.pool.query(`UPDATE webhook_deliveries SET give_up_at = now() - interval '1 minute' WHERE seq < 6`);
      // It is found out by one of them; the others are not tried one by one.
      await store.pool.query(`UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 hour' WHERE seq > 3`);
      answer = () => 'retry';
      start();
      await until(async () => (await rows(`status = 'failed'`)).length === 3, 'all that are over time are given up');
      expect(sent).toHaveLength(1);
      expect((await rows()).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed', 'pending']);
    });

    test('disable the webhook whose receiver wants no more', async () => {
      const id = await newWebhook(['*']);
      await fill({ [id]: 3 });
      await store.pool.query(`UPDATE webhook_deliveries SET next_attempt_at = now() + interval '1 hour' WHERE seq > 3`);
      answer = () => 'gone';
      start();
      await until(() => disabled === 1, 'the webhook is disabled');
      expect((await rows()).map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
      const webhooks = createWebhookStore(store.pool, box);
      expect(await webhooks.get(bench.tenant, id)).toMatchObject({ status: 'disabled' });
      expect(await webhooks.subscriptions()).toEqual([]);
    });

    test('send again what is replayed', async () => {
      const id = await newWebhook(['*']);
      await fill({ [id]: 1 });
      start();
      await until(async () => (await rows())[0]?.status === 'delivered', 'it is delivered');
      const [first] = sent;
      const log = createDeliveryLog(store.pool);
      expect(await log.replay('somebody-else', id, { id: first!.id })).toBeNull();
      expect(await log.replay(bench.tenant, id, { id: first!.id })).toMatchObject({ status: 'pending', attempts: 0 });
      await until(() => sent.length === 2, 'it is sent again');
      expect(sent[1]).toMatchObject({ id: first!.id, attempts: 1 });
    });

    test('go on when Postgres is back', async () => {
      const id = await newWebhook(['*']);
      await fill({ [id]: 1 });
      await store.pool.query('ALTER TABLE webhook_deliveries RENAME TO hidden');
      start();
      await until(() => warnings > 0, 'it is said that deliveries wait');
      await store.pool.query('ALTER TABLE hidden RENAME TO webhook_deliveries');
      await until(async () => (await rows())[0]?.status === 'delivered', 'it is delivered');
    });
  });
});

describe('secrets', () => {
  const name = secretNames.webhook('callback');

  test('are made once, however many ask at the same time', async () => {
    const other = await bench.start();
    const stores = [createSigningSecrets(store.pool, box), createSigningSecrets(other.pool, box)];
    const made = await Promise.all([...stores, ...stores].map((each) => each.ensure(bench.tenant, name)));
    expect(new Set(made).size).toBe(1);
    expect(made[0]).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    await other.stop();
  });

  test('that are replaced count for another day', async () => {
    const secrets = createSigningSecrets(store.pool, box);
    const first = await secrets.ensure(bench.tenant, name);
    const second = await secrets.rotate(bench.tenant, name);
    const third = await secrets.rotate(bench.tenant, name);
    expect(await secrets.read(bench.tenant, name)).toEqual([third, second, first]);
    await store.pool.query(`UPDATE secrets SET expires_at = now() WHERE version = 1`);
    expect(await secrets.read(bench.tenant, name)).toEqual([third, second]);
    expect(await secrets.read('somebody-else', name)).toEqual([]);
  });

  test('are in no row as they are', async () => {
    const secret = await createSigningSecrets(store.pool, box).ensure(bench.tenant, name);
    const { rows: kept } = await store.pool.query<{ sealed: Buffer }>('SELECT sealed FROM secrets');
    expect(kept).toHaveLength(1);
    expect(kept[0]!.sealed.includes(Buffer.from(secret.slice(6), 'base64'))).toBe(false);
    expect(kept[0]!.sealed.includes('whsec_')).toBe(false);
  });
});
