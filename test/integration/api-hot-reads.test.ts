import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestApp } from '../../api/test-support/test-app.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { approvalId } from '../../domain/ids.ts';
import { until } from '../support/until.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, completed, draft, tool } from './record-support.ts';

let api: ApiBench;
beforeAll(async () => {
  api = await createApiBench();
});
afterAll(() => api.stop());

async function begun(): Promise<GoalRef> {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a'), tool('b')]);
  return goal;
}
const pathOf = ({ goalId }: GoalRef): string => `/v1/goals/${goalId}`;
const inMemory = ({ deps: { hotViews } }: TestApp, goal: GoalRef): Promise<void> =>
  until(async () => {
    await hotViews.read(goal);
    return hotViews.recall(goal) !== null;
  }, 'the goal is in memory');
const seqOf = async (app: TestApp, goal: GoalRef): Promise<number> =>
  ((await (await app.request(pathOf(goal))).json()) as { seq: number }).seq;

describe('a read of a goal is answered as by the routes', () => {
  const headersOf = (response: Response) => Object.fromEntries(response.headers);

  test('from Redis and from memory, whole and as 304', async () => {
    const goal = await begun();
    // A parameter sends it to the routes.
    const [hot, routed] = [pathOf(goal), `${pathOf(goal)}?minSeq=0`];
    const compare = async (): Promise<void> => {
      for (const given of [{}, { 'if-none-match': '"1", W/"2"' }, { 'if-none-match': '"1"' }]) {
        const headers = { ...given, 'x-request-id': 'mine' };
        const [one, other] = [
          await api.app.request(hot, { headers }),
          await api.app.request(routed, { headers }),
        ] as const;
        expect([one.status, headersOf(one), await one.text()]).toEqual([
          other.status,
          headersOf(other),
          await other.text(),
        ]);
      }
    };
    await compare();
    await inMemory(api.app, goal);
    await compare();
  });

  test('with a request id of its own where the client gives none, or none that is one', async () => {
    const goal = await begun();
    const ids = await Promise.all(
      [{}, {}, { 'x-request-id': 'not an id' }].map(async (headers) =>
        (await api.app.request(pathOf(goal), { headers })).headers.get('x-request-id'),
      ),
    );
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[\w-]{38,}$/);
  });

  test('and counted: in the metrics, and in the tenant’s quota', async () => {
    const config = { ...api.app.deps.config, ASTRA_RATE_LIMIT_PER_SECOND: 5 };
    const app = await api.startApp({ deps: { config } });
    const goal = await begun();
    await inMemory(app, goal);
    const answers = await Promise.all(Array.from({ length: 7 }, () => app.request(pathOf(goal))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 429, 429]);
    const metrics = await app.deps.metrics.metrics();
    expect(metrics).toContain('astra_http_requests_total{method="GET",route="/v1/goals/:goalId",status="200"} 5');
    expect(metrics).toContain('astra_http_requests_total{method="GET",route="/v1/goals/:goalId",status="429"} 2');
    expect(metrics).toContain(
      'astra_http_request_seconds_count{method="GET",route="/v1/goals/:goalId",status="200"} 5',
    );
    expect(metrics).toContain(
      'astra_http_request_seconds_bucket{method="GET",route="/v1/goals/:goalId",status="200",le="+Inf"} 5',
    );
    expect(metrics).toMatch(/astra_reads_total\{source="memory"\} [1-9]/);
    expect(metrics).not.toContain('source="postgres"');
  });

  test('to nobody but the tenant', async () => {
    const goal = await begun();
    await inMemory(api.app, goal);
    const as = await api.app.tokens.sign({ tenant: 'somebody-else' });
    const reader = await api.app.tokens.sign({ tenant: goal.tenant, scope: 'goals:write' });
    expect((await api.app.request(pathOf(goal), { as })).status).toBe(404);
    expect((await api.app.request(pathOf(goal), { as: reader })).status).toBe(403);
    expect((await api.app.request(pathOf(goal), { as: null })).status).toBe(401);
  });
});

describe('a goal that is in memory shows what this process has just done to it', () => {
  const record = (goal: GoalRef) => api.worker.recorder.record(goal, [completed('a')]);

  test.each([
    ['a cancel', 'cancel', undefined],
    ['an event delivered', 'events', { name: 'go' }],
  ])('%s', async (_what, command, body) => {
    const goal = await begun();
    const act = async (): Promise<boolean> => {
      await inMemory(app, goal);
      await api.worker.recorder.record(goal, [
        command === 'cancel' ? draft('goal.cancelled', { reason: null }) : completed('a'),
      ]);
      return true;
    };
    const engine = { ...api.app.deps.engine, cancel: act, deliverEvent: act };
    const app = await api.startApp({ deps: { engine } });
    const response = await app.request(`${pathOf(goal)}/${command}`, { method: 'POST', json: body });
    expect(response.status).toBe(202);
    expect(await seqOf(app, goal)).toBe(3);
  });

  test('a decision', async () => {
    const goal = await begun();
    const id = approvalId(goal.goalId, 'a');
    const request = { approvalId: id, kind: 'task', prompt: 'ok?', input: null, required: 1, expiresAt: null } as const;
    await api.worker.recorder.record(goal, [draft('approval.requested', request, { taskId: 'a' })]);
    const executeUpdate = async (): Promise<object> => {
      await inMemory(app, goal);
      await record(goal);
      return { status: 'approved' };
    };
    const temporal = {
      withDeadline: (_at: number, call: () => Promise<unknown>) => call(),
      workflow: { getHandle: () => ({ executeUpdate }) },
    };
    // As much of a client as a decision uses.
    const app = await api.startApp({ deps: { temporal: temporal as unknown as Client } });
    const path = `/v1/approvals/${id}/decisions`;
    expect((await app.request(path, { method: 'POST', json: { decision: 'approved' } })).status).toBe(200);
    expect(await seqOf(app, goal)).toBe(4);
  });

  test('minSeq is waited for past memory', async () => {
    const goal = await begun();
    await inMemory(api.app, goal);
    const waiting = api.get(`${pathOf(goal)}?minSeq=3`);
    await record(goal);
    expect(await waiting).toMatchObject({ status: 200, body: { seq: 3 } });
    expect(await seqOf(api.app, goal)).toBe(3);
  });
});
