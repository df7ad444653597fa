import { createHash } from 'node:crypto';
import { createConnection, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createAstra, type GoalEvent, type GoalSubmission, type TaskProgress } from '../../sdk/index.ts';
import { startAstra, type RunningAstra } from '../support/start-astra.ts';

let astra: RunningAstra;
beforeAll(async () => {
  astra = await startAstra(inject('stack'));
});
afterAll(() => astra[Symbol.asyncDispose]());

const soon = { timeoutMs: 60_000 };
const soonPoll = { timeout: 30_000 };
type Tasks = NonNullable<GoalSubmission['plan']>['tasks'];

const add: GoalSubmission = {
  objective: 'Add and double',
  input: { a: 20, b: 1 },
  plan: {
    tasks: [
      {
        id: 'add',
        kind: 'tool',
        tool: 'code.javascript',
        input: { code: '({ a, b }) => a + b', input: '{{ goal.input }}' },
      },
      {
        id: 'double',
        kind: 'tool',
        tool: 'code.javascript',
        input: { code: '(n) => n * 2', input: '{{ tasks.add.output }}' },
      },
    ],
    output: { answer: '{{ tasks.double.output }}' },
  },
};
const waiting: GoalSubmission = {
  objective: 'Wait for a payment',
  plan: { tasks: [{ id: 'hook', kind: 'wait', event: 'payment.received' }], output: '{{ tasks.hook.output }}' },
};

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A way to the API that breaks every connection after so many bytes of its answers; an event must fit into them. */
async function startBreakingProxy(bytesEach: number): Promise<{ url: string; connections: () => number }> {
  const { hostname, port } = new URL(inject('stack').connection.apiUrl);
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    let left = bytesEach;
    const upstream = createConnection(Number(port), hostname);
    client.on('error', () => undefined).on('close', () => upstream.destroy());
    upstream.on('error', () => undefined).on('close', () => client.end());
    client.pipe(upstream);
    upstream.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left);
      left -= part.length;
      client.write(part, () => {
        if (left === 0) client.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => connections };
}

describe('a goal through the SDK', () => {
  test('is submitted, followed event by event to its end, and read', async () => {
    const { goals } = astra.client;
    const goal = await goals.submit(add);
    const events = await collect(goals.events(goal.id));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(0)?.type).toBe('goal.submitted');
    expect(events.at(-1)?.type).toBe('goal.completed');
    expect(await collect(goals.history(goal.id))).toEqual(events);
    expect(await collect(goals.events(goal.id, { fromSeq: events.length + 1 }))).toEqual([]);

    expect(await goals.result(goal.id)).toMatchObject({ status: 'completed', output: { answer: 42 } });
    const view = await goals.get(goal.id, { minSeq: events.length });
    expect(view).toMatchObject({ status: 'completed', seq: events.length, progress: { total: 2, completed: 2 } });
    expect(await goals.get(goal.id, { ifSeqNot: view.seq })).toBeNull();
    expect((await goals.graph(goal.id)).edges).toEqual([{ from: 'add', to: 'double' }]);
    expect(await goals.task(goal.id, 'add')).toMatchObject({ status: 'completed', output: 21 });
  });

  test('loses and repeats no event when its stream breaks again and again', async () => {
    const tasks: Tasks = Array.from({ length: 40 }, (_, n) => ({
      id: `t${n}`,
      kind: 'tool',
      tool: 'code.javascript',
      input: { code: '() => "x".repeat(1000)' },
      after: n === 0 ? [] : [`t${n - 1}`],
    }));
    const goal = await astra.client.goals.submit({ objective: 'A chain', plan: { tasks } });
    const proxy = await startBreakingProxy(12_000);
    const { token } = inject('stack').connection;
    const far = createAstra({ apiUrl: proxy.url, token, backOff: { baseMs: 5, capMs: 20 } });
    const events = await collect(far.goals.events(goal.id));
    expect(events.at(-1)?.type).toBe('goal.completed');
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(await collect(astra.client.goals.history(goal.id))).toEqual(events);
    expect(proxy.connections()).toBeGreaterThan(3);
  });

  test('starts once for one idempotency key', async () => {
    const { goals } = astra.client;
    const idempotencyKey = crypto.randomUUID();
    const first = await goals.submit(add, { idempotencyKey });
    expect((await goals.submit(add, { idempotencyKey })).id).toBe(first.id);
    await expect(goals.submit(waiting, { idempotencyKey })).rejects.toMatchObject({
      code: 'ASTRA_IDEMPOTENCY_CONFLICT',
      status: 409,
    });
  });

  test('gets the event it waits for, with its data', async () => {
    const { goals } = astra.client;
    const { id } = await goals.submit(waiting);
    await goals.sendEvent(id, { name: 'payment.received', data: { usd: '3.50' } });
    expect(await goals.result(id, soon)).toMatchObject({ status: 'completed', output: { usd: '3.50' } });
  });

  test('is cancelled, and then refuses to be', async () => {
    const { goals } = astra.client;
    const { id } = await goals.submit(waiting);
    await goals.cancel(id, { reason: 'the customer left' });
    expect((await goals.result(id, soon)).status).toBe('cancelled');
    await expect(goals.cancel(id)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED' });
    await expect(goals.sendEvent(id, { name: 'payment.received' })).rejects.toMatchObject({
      code: 'ASTRA_GOAL_FINISHED',
    });
  });

  test('is waited for no longer than asked', async () => {
    const { goals } = astra.client;
    const { id } = await goals.submit(waiting);
    await expect(goals.result(id, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'ASTRA_TIMEOUT' });
    await goals.cancel(id);
  });

  test('is watched with what its commands write', async () => {
    const command = 'for n in 1 2 3; do echo "line $n"; sleep 0.3; done';
    const { id } = await astra.client.goals.submit({
      plan: { tasks: [{ id: 'talk', kind: 'tool', tool: 'shell.run', input: { command } }] },
      objective: 'Talk',
    });
    const updates = await collect(astra.client.goals.watch(id));
    const written = updates
      .filter((update): update is TaskProgress => update.type === 'task.progress')
      .map(({ text }) => text);
    expect(written.join('')).toContain('line 1');
    const snapshots = updates.flatMap((update) => (update.type === 'snapshot' ? [update] : []));
    expect(snapshots.at(-1)).toMatchObject({
      goal: { status: 'completed' },
      graph: { tasks: [{ id: 'talk', status: 'completed' }] },
    });
    expect(snapshots.map(({ goal }) => goal.seq)).toEqual(
      snapshots.map(({ goal }) => goal.seq).toSorted((a, b) => a - b),
    );
  });

  test('is found by its label, newest first, over pages', async () => {
    const label = { run: crypto.randomUUID() };
    const submitted: string[] = [];
    for (let n = 0; n < 3; n += 1) submitted.push((await astra.client.goals.submit({ ...add, labels: label })).id);
    const all = () => collect(astra.client.goals.all({ labels: label, limit: 2 }));
    await expect.poll(async () => (await all()).map(({ id }) => id), soonPoll).toEqual(submitted.toReversed());
  });
});

describe('refusals', () => {
  test('point at what is wrong in a plan', async () => {
    const plan: GoalSubmission = {
      objective: 'x',
      plan: { tasks: [{ id: 'a', kind: 'tool', tool: 'no.such', after: ['b'] }] },
    };
    const refusal = await astra.client.goals.submit(plan).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'ASTRA_PLAN_INVALID', status: 422, retryable: false });
    const pointers = (refusal as { faults: { pointer: string }[] }).faults.map(({ pointer }) => pointer);
    expect(pointers).toContain('/plan/tasks/0/after/0');
    expect(pointers).toContain('/plan/tasks/0/tool');
  });

  test('tell a wrong token and an unknown goal apart', async () => {
    const { apiUrl } = inject('stack').connection;
    await expect(createAstra({ apiUrl, token: 'nonsense' }).me()).rejects.toMatchObject({
      code: 'ASTRA_UNAUTHENTICATED',
      status: 401,
    });
    await expect(astra.client.goals.get('gol_00000000000000000000')).rejects.toMatchObject({
      code: 'ASTRA_NOT_FOUND',
      status: 404,
    });
  });
});

test('an artifact is downloaded as it was written, from the object storage', async () => {
  const text = 'Grüße, 世界\n'.repeat(1_000);
  const write: Tasks = [
    {
      id: 'write',
      kind: 'tool',
      tool: 'artifact.write',
      input: { name: 'greeting.txt', mediaType: 'text/plain', text },
    },
  ];
  const { id } = await astra.client.goals.submit({ objective: 'Write', plan: { tasks: write } });
  expect(await astra.client.goals.result(id, soon)).toMatchObject({ status: 'completed' });
  const [artifact] = await collect(astra.client.goals.artifacts(id));
  expect(artifact).toMatchObject({
    name: 'greeting.txt',
    taskId: 'write',
    sha256: createHash('sha256').update(text).digest('hex'),
  });
  expect(await astra.client.artifacts.get(artifact!.id)).toEqual(artifact);
  expect(await (await astra.client.artifacts.download(artifact!.id)).text()).toBe(text);
});

test('an approval is asked for, decided once with an edited input, and closed', async () => {
  const ask: Tasks = [{ id: 'ok', kind: 'approval', prompt: 'Send it?', input: { to: 'a' } }];
  const { id: goalId } = await astra.client.goals.submit({
    objective: 'Ask',
    plan: { tasks: ask, output: '{{ tasks.ok.output }}' },
  });
  const pending = () => astra.client.approvals.list({ goalId, status: 'pending' });
  await expect.poll(async () => (await pending()).items.length, soonPoll).toBe(1);
  const [approval] = (await pending()).items;
  await astra.client.approvals.decide(approval!.id, { decision: 'approved', editedInput: { to: 'b' } });
  expect(await astra.client.goals.result(goalId, soon)).toMatchObject({ status: 'completed', output: { to: 'b' } });
  await expect(astra.client.approvals.decide(approval!.id, { decision: 'rejected' })).rejects.toMatchObject({
    code: 'ASTRA_APPROVAL_DECIDED',
  });
});

test('a template is put, read, run and deleted', async () => {
  const { templates, goals } = astra.client;
  const template = {
    name: 'e2e-echo',
    description: 'Says what it is told.',
    params: { type: 'object', properties: { word: { type: 'string', default: 'hello' } }, additionalProperties: false },
    objective: 'Say {{ params.word }}',
    plan: {
      tasks: [
        {
          id: 'say',
          kind: 'tool' as const,
          tool: 'code.javascript',
          input: { code: '(w) => w', input: '{{ params.word }}' },
        },
      ],
      output: '{{ tasks.say.output }}',
    },
  };
  const stored = await templates.put(template);
  expect(await templates.put(stored)).toMatchObject(template);
  const outputs = await Promise.all(
    [templates.run('e2e-echo'), templates.run('e2e-echo', { word: 'bye' })].map(async (run) =>
      goals.result((await run).id, soon),
    ),
  );
  expect(outputs).toMatchObject([{ output: 'hello' }, { output: 'bye' }]);
  await expect(templates.run('e2e-echo', { wrod: 'x' })).rejects.toMatchObject({ code: 'ASTRA_TEMPLATE_INVALID' });
  await templates.delete('e2e-echo');
  await expect(templates.get('e2e-echo')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
});

test('the live lane is left out unless it is asked for', async () => {
  const command = 'echo hello; sleep 0.3';
  const { id } = await astra.client.goals.submit({
    objective: 'Talk',
    plan: { tasks: [{ id: 'talk', kind: 'tool', tool: 'shell.run', input: { command } }] },
  });
  const events: (GoalEvent | TaskProgress)[] = await collect(astra.client.goals.events(id));
  expect(events.some(({ type }) => type === 'task.progress')).toBe(false);
});
