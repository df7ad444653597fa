import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { createGoalId } from '../../api/goals/goal-id.ts';
import { hashBody } from '../../api/goals/body-hash.ts';
import { goalSubmissionSchema, type GoalView } from '../../domain/schemas/goal.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';
import { createToolStore } from '../../stores/postgres/tools.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { at, begin, completed, draft, headOf, tool } from './record-support.ts';

let api: ApiBench;
let temporal: Client;
let key = 0;
beforeAll(async () => {
  api = await createApiBench();
  const connection = await Connection.connect({ address: inject('stack').connection.temporalAddress });
  temporal = new Client({ connection });
  await createToolStore(api.worker.pool).put([
    {
      name: 'test.echo',
      description: 'Gives back its input.',
      inputSchema: { type: 'object' },
      outputSchema: {},
      workerClass: 'tools',
      execution: 'inline',
      effect: 'none',
      risk: 'low',
      timeoutSeconds: 1,
      cacheSeconds: 0,
    },
  ]);
});
afterAll(async () => {
  await temporal.connection.close();
  await api.stop();
});
beforeEach(() => {
  key += 1;
});

const plan = { tasks: [{ id: 'a', kind: 'tool', tool: 'test.echo', input: { x: '{{ goal.input.x }}' } }] };
const view = (body: unknown): GoalView => body as GoalView;
const submit = async (json: unknown, idempotencyKey?: string) =>
  api.post('/v1/goals', json, idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } });
const handleOf = (goal: Pick<GoalView, 'id'>) => temporal.workflow.getHandle(goalWorkflowId(goal.id));

describe('submitting a goal', () => {
  test('starts its workflow, which operators find by its search attributes', async () => {
    const response = await api.app.request('/v1/goals', {
      method: 'POST',
      json: { objective: 'echo\nit', plan, input: { x: 1 }, labels: { team: 'a' }, priority: 2 },
    });
    expect(response.status).toBe(202);
    const goal = view(await response.json());
    expect(response.headers.get('location')).toBe(`http://astra.test/v1/goals/${goal.id}`);
    expect(goal).toMatchObject({
      seq: 0,
      status: 'accepted',
      priority: 2,
      labels: { team: 'a' },
      links: { self: `http://astra.test/v1/goals/${goal.id}` },
    });
    const workflow = await handleOf(goal).describe();
    expect(workflow).toMatchObject({
      taskQueue: 'astra',
      type: 'goalWorkflow',
      status: { name: 'RUNNING' },
      priority: { priorityKey: 2, fairnessKey: api.bench.tenant },
    });
    expect(await workflow.staticSummary()).toBe('echo it');
    const attributes = Object.fromEntries(
      workflow.typedSearchAttributes.getAll().map((pair) => [pair.key.name, pair.value]),
    );
    expect(attributes).toMatchObject({
      AstraTenant: api.bench.tenant,
      AstraLabels: ['team=a'],
    });
  });

  test('can be read at once, before anything is recorded, also by an API process without Redis or both stores', async () => {
    const goal = view((await submit({ objective: 'x', plan })).body);
    expect(await api.get(`/v1/goals/${goal.id}`)).toEqual({ status: 200, body: goal });
    const blind = await api.startApp({ without: 'redis' });
    const seen = await blind.request(`/v1/goals/${goal.id}`);
    expect(view(await seen.json())).toMatchObject({ id: goal.id, status: 'accepted', objective: 'x' });
    expect(await blind.deps.metrics.metrics()).toContain('astra_reads_total{source="temporal"} 1');
    expect(await api.get(`/v1/goals/${goal.id}/graph`)).toMatchObject({ status: 200, body: { seq: 0, tasks: [] } });
  });

  test('with a key gives the same goal for the same body, however it is written, and refuses another', async () => {
    const first = await submit({ objective: 'x', plan, input: { a: 1, b: 2 } }, `key-${key}`);
    const again = await submit({ input: { b: 2, a: 1 }, plan, objective: 'x' }, `key-${key}`);
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(view(again.body).id).toBe(view(first.body).id);
    expect(await submit({ objective: 'y', plan }, `key-${key}`)).toMatchObject({
      status: 409,
      body: { code: 'ASTRA_IDEMPOTENCY_CONFLICT' },
    });
    expect(view((await submit({ objective: 'x', plan }, `key-${key}-other`)).body).id).not.toBe(view(first.body).id);
  });

  test('with a key starts one goal, however many ask at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => submit({ objective: 'x', plan }, `key-${key}`)));
    expect(new Set(all.map(({ body }) => view(body).id)).size).toBe(1);
    expect(all.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 202]);
  });

  test('with a key gives the recorded goal also when Temporal has forgotten it', async () => {
    const body = { objective: 'x', plan };
    const goal = { tenant: api.bench.tenant, goalId: createGoalId(api.bench.tenant, `key-${key}`) };
    const submission = { documents: [], bodyHash: hashBody(goalSubmissionSchema.parse(body)) };
    await api.worker.recorder.record(goal, [draft('goal.submitted', { head: headOf(goal) })], { submission });
    expect(await submit(body, `key-${key}`)).toMatchObject({ status: 200, body: { id: goal.goalId } });
    expect(await submit({ ...body, objective: 'y' }, `key-${key}`)).toMatchObject({ status: 409 });
    expect(await api.app.deps.engine.find(goal.tenant, goal.goalId)).toBeNull();
  });

  test('goes on while Postgres is away, with the tools known last', async () => {
    const blind = await api.startApp({ without: 'postgres', deps: { catalogue: api.app.deps.catalogue } });
    const response = await blind.request('/v1/goals', {
      method: 'POST',
      json: { objective: 'x', plan },
      headers: { 'idempotency-key': `key-${key}` },
    });
    expect(response.status).toBe(202);
    const goal = view(await response.json());
    expect((await blind.request(`/v1/goals/${goal.id}`)).status).toBe(200);
  });

  test('from a template needs the template and parameters that fit it', async () => {
    const template = {
      description: '',
      params: { type: 'object', required: ['x'] },
      objective: 'echo {{ params.x }}',
      plan: { tasks: [{ ...plan.tasks[0], input: { x: '{{ params.x }}' } }] },
    };
    expect((await api.app.request('/v1/templates/echo', { method: 'PUT', json: template })).status).toBe(201);
    expect(await submit({ template: { name: 'echo', params: { x: 1 } } })).toMatchObject({
      status: 202,
      body: { template: 'echo' },
    });
    expect(await submit({ template: { name: 'echo' } })).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_TEMPLATE_INVALID', errors: [{ pointer: '/template/params/x' }] },
    });
    expect(await submit({ template: { name: 'nothing' } })).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_TEMPLATE_INVALID', errors: [{ pointer: '/template/name' }] },
    });
  });
});

describe('reading a goal', () => {
  test('costs no Postgres query while Redis has it', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    const fresh = await api.startApp();
    for (const path of ['', '/graph', '/result'])
      expect((await fresh.request(`/v1/goals/${goal.goalId}${path}`)).ok).toBe(true);
    const metrics = await fresh.deps.metrics.metrics();
    expect(metrics).toContain('astra_reads_total{source="redis"} 3');
    expect(metrics).not.toContain('source="postgres"');
  });

  test('answers 304 to those who have its seq', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    // What a graph expects of its tasks changes without an event.
    for (const [view, etag] of [
      ['', '"2"'],
      ['/graph', 'W/"2"'],
    ]) {
      const path = `/v1/goals/${goal.goalId}${view}`;
      const first = await api.app.request(path);
      expect(first.headers.get('etag')).toBe(etag);
      const same = await api.app.request(path, { headers: { 'if-none-match': '"1", W/"2"' } });
      expect([same.status, await same.text()]).toEqual([304, '']);
      expect((await api.app.request(path, { headers: { 'if-none-match': '"1"' } })).status).toBe(200);
    }
  });

  test('with minSeq waits for the event, and no longer than 5 s', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    const waiting = api.get(`/v1/goals/${goal.goalId}?minSeq=3`);
    await api.worker.recorder.record(goal, [completed('a')]);
    expect(await waiting).toMatchObject({ status: 200, body: { seq: 3 } });
    expect(await api.get(`/v1/goals/${goal.goalId}?minSeq=9`)).toMatchObject({ status: 200, body: { seq: 3 } });
  });

  test('waits for the result by wake-up', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    expect(await api.get(`/v1/goals/${goal.goalId}/result`)).toEqual({
      status: 202,
      body: { goalId: goal.goalId, status: 'running', error: null },
    });
    const waiting = api.get(`/v1/goals/${goal.goalId}/result?wait=30s`);
    await api.worker.recorder.record(goal, [completed('a'), draft('goal.completed', { output: { n: 1 } })]);
    expect(await waiting).toEqual({
      status: 200,
      body: { goalId: goal.goalId, status: 'completed', output: { n: 1 }, error: null },
    });
  });

  test('of another tenant is 404 everywhere, as if it were not there', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    const started = view((await submit({ objective: 'x', plan })).body);
    const as = await api.app.tokens.sign({ tenant: 'somebody-else', scope: 'admin' });
    for (const id of [goal.goalId, started.id]) {
      for (const path of ['', '/graph', '/events', '/result', '/tasks/a', '/artifacts']) {
        expect({ path, ...(await api.get(`/v1/goals/${id}${path}`, { as })) }).toMatchObject({
          path,
          status: 404,
          body: { code: 'ASTRA_NOT_FOUND' },
        });
      }
      expect(await api.post(`/v1/goals/${id}/cancel`, undefined, { as })).toMatchObject({ status: 404 });
      expect(await api.post(`/v1/goals/${id}/events`, { name: 'x' }, { as })).toMatchObject({ status: 404 });
    }
    expect(await api.get('/v1/goals', { as })).toEqual({ status: 200, body: { items: [], nextCursor: null } });
  });

  test('shows a task, an item of a map, and that there is no such task', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    await api.worker.recorder.record(goal, [completed('a', 'done')]);
    expect(await api.get(`/v1/goals/${goal.goalId}/tasks/a`)).toMatchObject({
      status: 200,
      body: { id: 'a', status: 'completed', output: 'done' },
    });
    expect(await api.get(`/v1/goals/${goal.goalId}/tasks/b`)).toMatchObject({ status: 404 });
  });
});

describe('listing goals', () => {
  test('filters, and gives every goal once over the pages', async () => {
    const label = `run-${key}`;
    const goals = Array.from({ length: 7 }, () => api.bench.newGoal());
    // Two and two at the same instant: the order must not depend on the time alone.
    for (const [n, goal] of goals.entries()) {
      await begin(api.worker.recorder, goal, [tool('a')], {
        labels: { run: label, n: String(n) },
        createdAt: at(Math.floor(n / 2)),
        template: n < 3 ? 'echo' : null,
      });
    }
    await api.worker.recorder.record(goals[0]!, [draft('goal.cancelled', { reason: null })]);
    const list = async (query: string) =>
      (await api.get(`/v1/goals?label=run:${label}&${query}`)).body as { items: GoalView[]; nextCursor: string | null };

    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { items: GoalView[]; nextCursor: string | null } = await list(
        `limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    }
    expect([...seen].sort()).toEqual(goals.map(({ goalId }) => goalId).sort());

    const idsOf = async (query: string) => (await list(query)).items.map(({ labels }) => labels['n']);
    expect(await idsOf('status=cancelled')).toEqual(['0']);
    expect((await idsOf('status=cancelled,running')).length).toBe(7);
    expect(await idsOf('label=n=3')).toEqual(['3']);
    expect((await idsOf('template=echo')).sort()).toEqual(['0', '1', '2']);
    expect((await idsOf(`createdAfter=${at(1)}&createdBefore=${at(2)}`)).sort()).toEqual(['2', '3']);
    expect((await list('limit=1')).items[0]).toEqual((await api.get(`/v1/goals/${seen[0]}`)).body);
  });
});

describe('telling a goal something', () => {
  test('cancel and outside events reach the workflow', async () => {
    const goal = view((await submit({ objective: 'x', plan })).body);
    expect(await api.post(`/v1/goals/${goal.id}/events`, { name: 'paid', data: { usd: '1' } })).toMatchObject({
      status: 202,
      body: { id: goal.id },
    });
    expect(await api.post(`/v1/goals/${goal.id}/cancel`)).toMatchObject({ status: 202, body: { id: goal.id } });
    expect(await api.post(`/v1/goals/${goal.id}/cancel`, { reason: 'wrong' })).toMatchObject({ status: 202 });
    const { events = [] } = await handleOf(goal).fetchHistory();
    const signals = (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) =>
      signal
        ? [[signal.signalName, JSON.parse(Buffer.from(signal.input?.payloads?.[0]?.data ?? []).toString()) as unknown]]
        : [],
    );
    expect(signals).toEqual([
      ['deliverEvent', { name: 'paid', data: { usd: '1' } }],
      ['cancelGoal', { reason: null }],
      ['cancelGoal', { reason: 'wrong' }],
    ]);
  });

  test('is refused once it has ended, whether the record or only Temporal knows', async () => {
    const ended = api.bench.newGoal();
    await begin(api.worker.recorder, ended, [tool('a')]);
    await api.worker.recorder.record(ended, [draft('goal.cancelled', { reason: null })]);
    expect(await api.post(`/v1/goals/${ended.goalId}/cancel`)).toMatchObject({
      status: 409,
      body: { code: 'ASTRA_GOAL_FINISHED' },
    });
    const terminated = view((await submit({ objective: 'x', plan })).body);
    await handleOf(terminated).terminate();
    expect(await api.post(`/v1/goals/${terminated.id}/events`, { name: 'x' })).toMatchObject({ status: 409 });
  });

  test('refuses a body it does not know', async () => {
    const goal = view((await submit({ objective: 'x', plan })).body);
    expect(await api.post(`/v1/goals/${goal.id}/cancel`, { why: 'x' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/why' }] },
    });
    expect(await api.post(`/v1/goals/${goal.id}/events`, { name: '' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/name' }] },
    });
    expect(await api.post(`/v1/goals/${goal.id}/events`)).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID' },
    });
  });
});
