import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { approvalId } from '../../domain/ids.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import { loadConfig } from '../../platform/config.ts';
import { createArtifactStore } from '../../stores/artifacts/artifact-store.ts';
import { createToolStore } from '../../stores/postgres/tools.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { at, begin, draft, tool } from './record-support.ts';

let api: ApiBench;
const store = createArtifactStore(loadConfig(inject('stack').env));
beforeAll(async () => {
  api = await createApiBench();
});
afterAll(async () => {
  store.close();
  await api.stop();
});

describe('artifacts', () => {
  test('are listed with their goal, and their bytes are a redirect away', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a')]);
    const { tenant } = goal;
    const artifacts: Artifact[] = [];
    for (const name of ['one.md', 'two.md', 'three.md']) {
      artifacts.push(await store.put(tenant, { name, mediaType: 'text/markdown', bytes: Buffer.from(`# ${name}`) }));
    }
    const drafts = artifacts.map((artifact, n) => draft('artifact.created', { artifact }, { taskId: 'a', second: n }));
    await api.worker.recorder.record(goal, drafts);

    const path = `/v1/goals/${goal.goalId}/artifacts`;
    const first = (await api.get(`${path}?limit=2`)).body as { items: unknown[]; nextCursor: string };
    expect(first.items).toMatchObject([{ ...artifacts[0], goalId: goal.goalId, taskId: 'a' }, artifacts[1]]);
    expect((await api.get(`${path}?cursor=${first.nextCursor}`)).body).toMatchObject({
      items: [artifacts[2]],
      nextCursor: null,
    });

    const [one] = artifacts;
    expect((await api.get(`/v1/artifacts/${one!.id}`)).body).toMatchObject({
      ...one,
      createdAt: expect.stringContaining('2026-01-01') as unknown,
    });
    const app = await api.startApp({ deps: { artifactStore: store } });
    const redirect = await app.request(`/v1/artifacts/${one!.id}/content`);
    expect(redirect.status).toBe(302);
    const bytes = await fetch(redirect.headers.get('location')!);
    expect([bytes.headers.get('content-type'), await bytes.text()]).toEqual(['text/markdown', '# one.md']);

    const as = await api.app.tokens.sign({ tenant: 'somebody-else' });
    expect(await api.get(`/v1/artifacts/${one!.id}`, { as })).toMatchObject({ status: 404 });
    expect(
      (
        await app.request(`/v1/artifacts/${one!.id}/content`, {
          as: await app.tokens.sign({ tenant: 'somebody-else' }),
        })
      ).status,
    ).toBe(404);
  });
});

describe('approvals', () => {
  test('are listed, filtered and read; a decided one takes no decision', async () => {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('a'), tool('b')]);
    const request = (taskId: string, second: number) =>
      draft(
        'approval.requested',
        {
          approvalId: approvalId(goal.goalId, taskId),
          kind: 'task',
          prompt: `May ${taskId}?`,
          input: { x: 1 },
          required: 1,
          expiresAt: null,
        },
        { taskId, second },
      );
    const decided = draft(
      'approval.decided',
      {
        approvalId: approvalId(goal.goalId, 'a'),
        subject: 'boss',
        decision: 'approved',
        comment: 'ok',
        status: 'approved',
      },
      { taskId: 'a' },
    );
    await api.worker.recorder.record(goal, [request('a', 3), request('b', 4), decided]);

    const list = async (query: string) =>
      (
        (await api.get(`/v1/approvals?goalId=${goal.goalId}&${query}`)).body as { items: { taskId: string }[] }
      ).items.map(({ taskId }) => taskId);
    expect(await list('')).toEqual(['b', 'a']);
    expect(await list('status=pending')).toEqual(['b']);
    const id = approvalId(goal.goalId, 'a');
    expect((await api.get(`/v1/approvals/${id}`)).body).toEqual({
      id,
      kind: 'task',
      goalId: goal.goalId,
      taskId: 'a',
      prompt: 'May a?',
      input: { x: 1 },
      status: 'approved',
      required: 1,
      agentId: null,
      tool: null,
      inputArtifact: null,
      map: null,
      change: null,
      deciders: null,
      delegations: [],
      editedInput: null,
      editedInputSha256: null,
      onExpiry: 'reject',
      votes: [{ subject: 'boss', decision: 'approved', comment: 'ok', at: at(10) }],
      requestedAt: at(3),
      expiresAt: null,
    });
    expect(await api.post(`/v1/approvals/${id}/decisions`, { decision: 'rejected' })).toMatchObject({
      status: 409,
      body: { code: 'ASTRA_APPROVAL_DECIDED' },
    });
    expect(await api.post(`/v1/approvals/${id}/decisions`, { decision: 'maybe' })).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/decision' }] },
    });
    const as = await api.app.tokens.sign({ tenant: 'somebody-else', scope: 'admin' });
    expect(await api.get(`/v1/approvals/${id}`, { as })).toMatchObject({ status: 404 });
    expect(await api.post(`/v1/approvals/${id}/decisions`, { decision: 'approved' }, { as })).toMatchObject({
      status: 404,
    });
    // Pending in the record, but no workflow asks for it any more.
    expect(
      await api.post(`/v1/approvals/${approvalId(goal.goalId, 'b')}/decisions`, { decision: 'approved' }),
    ).toMatchObject({ status: 409 });
  });
});

describe('templates and tools', () => {
  const tools = ['net.get', 'text.echo', 'text.fold'].map((name) => ({
    name,
    description: 'x',
    inputSchema: { type: 'object' },
    outputSchema: {},
    workerClass: 'tools' as const,
    execution: 'inline' as const,
    effect: 'none' as const,
    risk: 'low' as const,
    timeoutSeconds: 1,
    cacheSeconds: 0,
  }));
  const definition = {
    description: 'd',
    params: { type: 'object' },
    objective: 'o',
    plan: { tasks: [{ id: 'a', kind: 'tool', tool: 'text.echo', input: { x: '{{ params.x }}' } }] },
  };
  const put = (name: string, json: unknown) => api.app.request(`/v1/templates/${name}`, { method: 'PUT', json });

  test('a worker’s tools are listed by name, in pages', async () => {
    await createToolStore(api.worker.pool).put(tools);
    await createToolStore(api.worker.pool).put(tools);
    const first = (await api.get('/v1/tools?limit=2')).body as { items: unknown[]; nextCursor: string };
    expect(first.items).toEqual(tools.slice(0, 2));
    expect((await api.get(`/v1/tools?cursor=${first.nextCursor}`)).body).toEqual({
      items: [tools[2]],
      nextCursor: null,
    });
    expect(await api.get('/v1/tools/text.echo')).toEqual({ status: 200, body: tools[1] });
    expect(await api.get('/v1/tools/text.none')).toMatchObject({ status: 404 });
  });

  test('a template is created, replaced, listed and deleted', async () => {
    expect((await put('b', definition)).status).toBe(201);
    expect((await put('a', { ...definition, name: 'a' })).status).toBe(201);
    const replaced = await put('b', { ...definition, description: 'new' });
    expect([replaced.status, await replaced.json()]).toEqual([200, { ...definition, name: 'b', description: 'new' }]);
    expect(await api.get('/v1/templates/b')).toMatchObject({ status: 200, body: { description: 'new' } });
    const first = (await api.get('/v1/templates?limit=1')).body as { items: unknown[]; nextCursor: string };
    expect(first.items).toMatchObject([{ name: 'a' }]);
    expect((await api.get(`/v1/templates?cursor=${first.nextCursor}`)).body).toMatchObject({
      items: [{ name: 'b' }],
      nextCursor: null,
    });
    const as = await api.app.tokens.sign({ tenant: 'somebody-else' });
    expect(await api.get('/v1/templates/a', { as })).toMatchObject({ status: 404 });
    expect((await api.app.request('/v1/templates/a', { method: 'DELETE' })).status).toBe(204);
    expect((await api.app.request('/v1/templates/a', { method: 'DELETE' })).status).toBe(404);
  });

  test.each([
    ['an unknown field', { ...definition, extra: 1 }, 'ASTRA_BODY_INVALID', '/extra'],
    ['another name than the path', { ...definition, name: 'other' }, 'ASTRA_BODY_INVALID', '/name'],
    [
      'parameters that are no JSON Schema',
      { ...definition, params: { type: 'objekt' } },
      'ASTRA_TEMPLATE_INVALID',
      '/params',
    ],
    [
      'an unknown tool',
      { ...definition, plan: { tasks: [{ id: 'a', kind: 'tool', tool: 'no.tool' }] } },
      'ASTRA_PLAN_INVALID',
      '/plan/tasks/0/tool',
    ],
  ])('a template with %s is refused', async (_what, body, code, pointer) => {
    const response = await put('refused', body);
    expect([response.status, await response.json()]).toMatchObject([
      422,
      { code, errors: pointer === undefined ? [] : [{ pointer }] },
    ]);
    expect(await api.get('/v1/templates/refused')).toMatchObject({ status: 404 });
  });
});

test('the quota of writes is one for all API processes of a tenant', async () => {
  const config = { ...api.app.deps.config, ASTRA_RATE_LIMIT_PER_SECOND: 10 };
  const [one, two] = await Promise.all([api.startApp({ deps: { config } }), api.startApp({ deps: { config } })]);
  const tenant = `${api.bench.tenant}-quota`;
  const write = async (app: typeof one) =>
    app.request('/v1/nothing', { method: 'POST', as: await app.tokens.sign({ tenant }) });
  const all = await Promise.all(Array.from({ length: 30 }, (_, n) => write(n % 2 === 0 ? one : two)));
  expect(all.filter(({ status }) => status === 404)).toHaveLength(10);
  expect(all.filter(({ status }) => status === 429)).toHaveLength(20);
});
