import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHoldGoal } from '../../activities/execution/hold-goal.ts';
import { createRecorder } from '../../activities/projection/recorder.ts';
import { createGoalId } from '../../api/goals/goal-id.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalSubmission, GoalView } from '../../domain/schemas/goal.ts';
import { createCascadeStore } from '../../stores/postgres/cascades.ts';
import { createGoalWaits } from '../../stores/postgres/goal-waits.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, draft, tool } from './record-support.ts';

let api: ApiBench;
let other: string;
let count = 0;
beforeAll(async () => {
  api = await createApiBench();
  other = await api.app.tokens.sign({ tenant: 'somebody-else' });
});
afterAll(() => api.stop());
beforeEach(() => {
  count += 1;
});

const plan = { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] } as const;
const body = (fields: object = {}) => ({ objective: 'x', plan, ...fields });
const submit = (fields: object, options: object = {}) => api.post('/v1/goals', body(fields), options);
const idOf = ({ body: view }: { readonly body: unknown }): GoalId => (view as GoalView).id;
const failure = { error: { code: 'ASTRA_TASK_FAILED', message: 'no', retryable: false } };

/** What a worker has, that is told of ends. */
function startWorker() {
  const ended: GoalRef[] = [];
  const { pool, viewCache } = api.worker;
  const recorder = createRecorder({
    pool,
    viewCache,
    logger: { error: () => undefined },
    onAwaitedEnd: (goal) => ended.push(goal),
  });
  const goalWaits = createGoalWaits(pool);
  const cascades = createCascadeStore(pool);
  const holdGoal = createHoldGoal({ recorder, goalWaits, cascades });
  const hold = (goal: GoalRef, fields: Partial<GoalSubmission>, submittedAt = new Date().toISOString()) =>
    holdGoal({
      goal,
      submission: { objective: 'x', ...fields },
      submittedAt,
      parentGoalId: null,
      bodyHash: null,
      depth: 0,
    });
  return { recorder, goalWaits, cascades, hold, ended };
}

describe('goals that wait for others', () => {
  test('may name a goal that was accepted, whether or not it is recorded, and no other tenant’s', async () => {
    const accepted = idOf(await submit({}));
    const recorded = api.bench.newGoal();
    await begin(api.worker.recorder, recorded, [tool('a')]);
    const waits = await submit({ dependsOnGoalIds: [accepted, recorded.goalId] });
    expect(waits).toMatchObject({
      status: 202,
      body: { status: 'accepted', waitingFor: { kind: 'dependency', detail: `${accepted}, ${recorded.goalId}` } },
    });
    for (const as of [undefined, other]) {
      const unknown = as === undefined ? api.bench.newGoal().goalId : accepted;
      const options = as === undefined ? {} : { as };
      expect(await submit({ dependsOnGoalIds: [unknown] }, options)).toMatchObject({
        status: 422,
        body: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '/dependsOnGoalIds/0' }] },
      });
    }
  });

  test('never wait for each other: of two that name each other none is accepted, one after the other or in one batch', async () => {
    const keys = [`one-${count}`, `two-${count}`];
    const [one, two] = keys.map((key) => createGoalId(api.bench.tenant, key));
    const bodies = [body({ dependsOnGoalIds: [two] }), body({ dependsOnGoalIds: [one] })];
    for (const [index, json] of bodies.entries()) {
      const headers = { 'idempotency-key': keys[index]! };
      expect(await api.post('/v1/goals', json, { headers })).toMatchObject({ status: 422 });
    }
    const lines = bodies.map((json, index) => JSON.stringify({ ...json, idempotencyKey: keys[index] }));
    const response = await api.app.request('/v1/goals:batch', {
      method: 'POST',
      body: lines.join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    const results = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: number });
    expect(results.map(({ status }) => status)).toEqual([422, 422]);
    // Nor for itself.
    const own = createGoalId(api.bench.tenant, `own-${count}`);
    const headers = { 'idempotency-key': `own-${count}` };
    expect(await submit({ dependsOnGoalIds: [own] }, { headers })).toMatchObject({ status: 422 });
  });

  test('are told of the end, whichever process records it and whenever they began to wait', async () => {
    const [one, two] = [startWorker(), startWorker()];
    const [early, late, alone] = [api.bench.newGoal(), api.bench.newGoal(), api.bench.newGoal()];
    const waiting = api.bench.newGoal();
    await begin(one.recorder, early, [tool('a')]);
    const dependsOnGoalIds = [early.goalId, late.goalId];
    expect(await two.hold(waiting, { dependsOnGoalIds })).toEqual({ kind: 'goals' });
    // It was not recorded when somebody began to wait for it.
    await begin(two.recorder, late, [tool('a')]);
    await begin(one.recorder, alone, [tool('a')]);

    await one.recorder.record(early, [draft('goal.completed', { output: null })]);
    await one.recorder.record(alone, [draft('goal.completed', { output: null })]);
    expect(one.ended).toEqual([early]);
    expect(await one.goalWaits.takeWaiting(early)).toEqual([waiting.goalId]);
    expect(await one.goalWaits.takeWaiting(early), 'once').toEqual([]);

    expect(await one.hold(waiting, { dependsOnGoalIds })).toEqual({ kind: 'goals' });
    expect(await api.get(`/v1/goals/${waiting.goalId}`)).toMatchObject({
      body: { status: 'accepted', waitingFor: { kind: 'dependency', detail: late.goalId, until: null } },
    });
    await two.recorder.record(late, [draft('goal.completed', { output: null })]);
    expect(two.ended).toEqual([late]);
    expect(await one.hold(waiting, { dependsOnGoalIds })).toEqual({ kind: 'free' });
    expect(await api.get(`/v1/goals/${waiting.goalId}`)).toMatchObject({
      body: { status: 'planning', waitingFor: null },
    });
    const { rows } = await api.worker.pool.query('SELECT * FROM goal_waits WHERE goal_id = $1', [waiting.goalId]);
    expect(rows, 'nothing is left behind').toEqual([]);
  });

  test('are told when a goal ends while they begin to wait for it', async () => {
    const worker = startWorker();
    for (let round = 0; round < 30; round += 1) {
      const [awaited, waiting] = [api.bench.newGoal(), api.bench.newGoal()];
      await begin(worker.recorder, awaited, [tool('a')]);
      const [hold] = await Promise.all([
        worker.hold(waiting, { dependsOnGoalIds: [awaited.goalId] }),
        worker.recorder.record(awaited, [draft('goal.completed', { output: null })]),
      ]);
      // Either it has seen the end, or it is told of it.
      if (hold.kind === 'goals') expect(worker.ended).toContainEqual(awaited);
      else expect(hold).toEqual({ kind: 'free' });
    }
  });

  test('fail when one of them has failed or was cancelled', async () => {
    const worker = startWorker();
    const [failed, cancelled, open] = [api.bench.newGoal(), api.bench.newGoal(), api.bench.newGoal()];
    for (const goal of [failed, cancelled, open]) await begin(worker.recorder, goal, [tool('a')]);
    await worker.recorder.record(failed, [draft('goal.failed', failure)]);
    await worker.recorder.record(cancelled, [draft('goal.cancelled', { reason: null })]);
    for (const lost of [failed, cancelled]) {
      const hold = await worker.hold(api.bench.newGoal(), { dependsOnGoalIds: [open.goalId, lost.goalId] });
      expect(hold).toMatchObject({ kind: 'failed', error: { code: 'ASTRA_DEPENDENCY_FAILED', retryable: false } });
      expect(JSON.stringify(hold)).toContain(lost.goalId);
    }
  });
});

describe('a cascade', () => {
  test('is listed by its id, for its tenant alone', async () => {
    const cascadeId = `night:${count}`;
    const goals = [api.bench.newGoal(), api.bench.newGoal()];
    for (const goal of goals) await begin(api.worker.recorder, goal, [tool('a')], { cascadeId });
    await begin(api.worker.recorder, api.bench.newGoal(), [tool('a')], { cascadeId: 'another' });
    const list = await api.get(`/v1/goals?cascadeId=${cascadeId}`);
    const items = (list.body as { items: GoalView[] }).items.map(({ id }) => id);
    expect(items.toSorted()).toEqual(goals.map(({ goalId }) => goalId).toSorted());
    expect(await api.get(`/v1/goals?cascadeId=${cascadeId}`, { as: other })).toMatchObject({ body: { items: [] } });
    expect((await api.get('/v1/goals?cascadeId=a%20b')).status).toBe(400);
  });

  test('that is cancelled takes along the goals that were submitted before and have not begun', async () => {
    const worker = startWorker();
    const cascadeId = `night:${count}`;
    const before = new Date(Date.now() - 1_000).toISOString();
    expect(await api.post('/v1/goals:cancel', { cascadeId, reason: 'broken NUL \0' })).toEqual({
      status: 202,
      body: { cascadeId, cancelling: 0 },
    });
    const hold = (fields: Partial<GoalSubmission>, at?: string) => worker.hold(api.bench.newGoal(), fields, at);
    expect(await hold({ cascadeId }, before)).toEqual({ kind: 'cancelled', reason: 'broken NUL \0' });
    expect(await hold({ cascadeId: `${cascadeId}.1` }, before)).toEqual({ kind: 'free' });
    expect(await hold({ cascadeId }, new Date(Date.now() + 1_000).toISOString())).toEqual({ kind: 'free' });
    const theirs = { tenant: 'somebody-else', goalId: api.bench.newGoal().goalId };
    expect(await worker.hold(theirs, { cascadeId }, before)).toEqual({ kind: 'free' });
    await api.post('/v1/goals:cancel', { cascadeId });
    expect(await hold({ cascadeId }, before), 'the latest counts').toEqual({ kind: 'cancelled', reason: null });
  });
});

describe('a delayed goal', () => {
  test('shows when it begins, before and after it is recorded', async () => {
    const worker = startWorker();
    const startAt = new Date(Date.now() + 60_000).toISOString();
    const waitingFor = { kind: 'timer', detail: 'startAt', until: startAt };
    const accepted = await submit({ startAt });
    expect(accepted.body).toMatchObject({ status: 'accepted', startAt, waitingFor });
    expect((await api.get(`/v1/goals/${idOf(accepted)}`)).body).toEqual(accepted.body);
    const goal = api.bench.newGoal();
    expect(await worker.hold(goal, { startAt })).toMatchObject({ kind: 'time' });
    expect(await api.get(`/v1/goals/${goal.goalId}`)).toMatchObject({
      body: { status: 'accepted', startAt, waitingFor },
    });
    expect(await worker.hold(api.bench.newGoal(), { startAt: new Date().toISOString() })).toEqual({ kind: 'free' });
  });

  test('is refused more than a year ahead', async () => {
    const startAt = new Date(Date.now() + 367 * 86_400_000).toISOString();
    expect(await submit({ startAt })).toMatchObject({
      status: 422,
      body: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '/startAt' }] },
    });
  });
});
