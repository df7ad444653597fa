import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalEngine } from '../../api/goals/goal-engine.ts';
import { idleEngine } from '../../api/test-support/idle-engine.ts';
import type { TestApp } from '../../api/test-support/test-app.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { rebuildGoal } from '../../stores/postgres/rebuild-goal.ts';
import type { UnparkTasksArgs } from '../../workflows/contract.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, draft, tool } from './record-support.ts';

let api: ApiBench;
let app: TestApp;
let ended: ReadonlySet<GoalId> = new Set();
const told: [GoalId, UnparkTasksArgs][] = [];
const engine: GoalEngine = {
  ...idleEngine,
  unparkTasks: async (goalId, args) => {
    if (ended.has(goalId)) return false;
    told.push([goalId, args]);
    return true;
  },
};
beforeAll(async () => {
  api = await createApiBench();
  app = await api.startApp({ deps: { engine } });
});
afterAll(() => api.stop());

const request = async (path: string, json?: unknown, headers: Record<string, string> = {}) => {
  const response = await app.request(path, json === undefined ? {} : { method: 'POST', json, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const list = async (query = ''): Promise<readonly string[]> => {
  const { body } = await request(`/v1/tasks?status=parked${query}`);
  // What the API answers; other tests hold its shape.
  return (body['items'] as readonly { goalId: string; taskId: string }[]).map(
    (each) => `${each.goalId} ${each.taskId}`,
  );
};
const failed = (taskId: string, { code = 'ASTRA_TOOL_FAILED', attempt = 2, second = 20 } = {}) => {
  const error = { code, message: 'no \0', retryable: true };
  return draft('task.parked', { reason: 'failed', detail: code, error }, { taskId, attempt, second });
};
/** A goal with tasks of these ids. */
async function start(...ids: readonly string[]): Promise<GoalRef> {
  const goal = api.bench.newGoal();
  await begin(
    api.worker.recorder,
    goal,
    ids.map((id) => tool(id)),
  );
  return goal;
}

describe('parked tasks', () => {
  test('are listed over all goals, newest first, until they go on', async () => {
    const { recorder, pool } = api.worker;
    const [one, two] = [await start('a', 'b'), await start('a')];
    await recorder.record(one, [failed('a', { second: 20 }), failed('b', { second: 22, code: 'ASTRA_TOOL_TIMEOUT' })]);
    const budget = draft('task.parked', { reason: 'budget', detail: 'full' }, { taskId: 'a', second: 21 });
    await recorder.record(two, [budget]);
    const all = [`${one.goalId} b`, `${two.goalId} a`, `${one.goalId} a`];
    expect(await list()).toEqual(all);
    expect(await list(`&goalId=${one.goalId}`)).toEqual([all[0], all[2]]);
    expect(await list('&reason=budget')).toEqual([all[1]]);
    expect(await list('&code=ASTRA_TOOL_TIMEOUT')).toEqual([all[0]]);
    const { body } = await request('/v1/tasks?status=parked&limit=2');
    expect(await list(`&limit=2&cursor=${String(body['nextCursor'])}`)).toEqual([all[2]]);

    // The same from the events alone.
    await pool.query('DELETE FROM parked_tasks WHERE goal_id = $1', [one.goalId]);
    await rebuildGoal(pool, one);
    expect(await list()).toEqual(all);

    await recorder.record(two, [draft('task.unparked', { reason: 'budget' }, { taskId: 'a' })]);
    await recorder.record(one, [draft('goal.cancelled', { reason: null })]);
    expect(await list()).toEqual([]);
  });

  test('are nobody else’s', async () => {
    const goal = await start('a');
    await api.worker.recorder.record(goal, [failed('a')]);
    const as = await app.tokens.sign({ tenant: 'somebody-else' });
    const response = await app.request('/v1/tasks?status=parked', { as });
    expect(await response.json()).toEqual({ items: [], nextCursor: null });
    const retried = await app.request('/v1/tasks:retry', { method: 'POST', json: {}, as });
    expect(await retried.json()).toEqual({ matched: 0, tasks: [] });
    await api.worker.recorder.record(goal, [draft('goal.cancelled', { reason: null })]);
  });

  test('are asked for as such', async () => {
    expect(await request('/v1/tasks?status=failed')).toMatchObject({
      status: 400,
      body: { code: 'ASTRA_PARAMETER_INVALID' },
    });
    expect(await request('/v1/tasks:retry', { taskIds: ['a'] })).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID' },
    });
    const as = await app.tokens.sign({ tenant: api.bench.tenant, scope: 'goals:read' });
    expect((await app.request('/v1/tasks:discard', { method: 'POST', json: {}, as })).status).toBe(403);
  });
});

describe('a bulk call', () => {
  test('tells each goal once of which failures, and says nothing of goals that do not run', async () => {
    const [one, two, gone] = [await start('a', 'b'), await start('a'), await start('a')];
    for (const goal of [one, two, gone]) await api.worker.recorder.record(goal, [failed('a')]);
    await api.worker.recorder.record(one, [failed('b', { attempt: 5 })]);
    ended = new Set([gone.goalId]);
    const preview = await request('/v1/tasks:discard?dryRun=true', {});
    expect(preview).toMatchObject({ status: 200, body: { matched: 4 } });
    expect(told).toEqual([]);

    expect(await request('/v1/tasks:discard', {})).toMatchObject({ status: 202, body: { matched: 3 } });
    expect(new Map(told)).toEqual(
      new Map([
        [one.goalId, { reason: 'failed', attempts: { a: 2, b: 5 }, discard: true }],
        [two.goalId, { reason: 'failed', attempts: { a: 2 }, discard: true }],
      ]),
    );
    // They were told just now; one that is parked anew was not.
    expect(await request('/v1/tasks:retry', {})).toMatchObject({ body: { matched: 0 } });
    const again = draft('task.unparked', { reason: 'failed' }, { taskId: 'a', attempt: 3 });
    await api.worker.recorder.record(two, [again, failed('a', { attempt: 3 })]);
    const retried = await request('/v1/tasks:retry', {});
    expect(retried.body).toEqual({ matched: 1, tasks: [{ goalId: two.goalId, taskId: 'a' }] });
    expect(told.at(-1)).toEqual([two.goalId, { reason: 'failed', attempts: { a: 3 } }]);
  });

  test('repeated with its key takes nothing that was parked since, and no other body', async () => {
    const goal = await start('a');
    const [key, second] = [{ 'idempotency-key': 'once' }, Date.now() / 1_000 - Date.UTC(2026, 0, 1) / 1_000 + 60];
    const first = await request('/v1/tasks:retry', { goalIds: [goal.goalId] }, key);
    expect(first).toMatchObject({ status: 202, body: { matched: 0 } });
    await api.worker.recorder.record(goal, [failed('a', { second })]);
    expect(await request('/v1/tasks:retry', { goalIds: [goal.goalId] }, key)).toEqual(first);
    expect(await request('/v1/tasks:discard', { goalIds: [goal.goalId] }, key)).toMatchObject({
      status: 409,
      body: { code: 'ASTRA_IDEMPOTENCY_CONFLICT' },
    });
  });
});
