import { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../../cli/test-support/run-in-process.ts';
import type { BatchGoal, BatchResult, GoalSubmission, GoalView } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { code, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let pool: Pool;
beforeAll(async () => {
  // How many may wait is for the tests of admission; the SDK would wait for them.
  system = await startSystem({ env: { ASTRA_MAX_QUEUE_SECONDS: '0' } });
  pool = new Pool({ connectionString: system.env['DATABASE_URL'] });
});
afterAll(async () => {
  await pool.end();
  await system.stop();
});

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const quick = (rest: Partial<GoalSubmission> = {}): GoalSubmission => goalOf([echo('a', 1)], undefined, rest);
const hooked = (rest: Partial<GoalSubmission> = {}): GoalSubmission => goalOf([hook], undefined, rest);
const submit = (goal: GoalSubmission): Promise<GoalView> => system.astra.goals.submit(goal);
const go = (id: string): Promise<void> => system.astra.goals.sendEvent(id, { name: 'go' });
const waits = (id: string): Promise<void> =>
  until(async () => {
    const { seq, waitingFor } = await system.astra.goals.get(id);
    return seq > 0 && waitingFor !== null;
  }, `${id} is recorded and waits`);
const cli = (...args: string[]) => runInProcess(system.apiUrl, args, { env: { ASTRA_TOKEN: system.token } });

describe('a delayed goal', () => {
  test('is recorded and can be read at once, and begins when its time has come', async () => {
    const { id, startAt, waitingFor, status } = await submit(quick({ delaySeconds: 1.5 }));
    expect({ status, waitingFor }).toEqual({
      status: 'accepted',
      waitingFor: { kind: 'timer', detail: 'startAt', until: startAt },
    });
    await waits(id);
    expect(await system.astra.goals.get(id)).toMatchObject({ status: 'accepted', startAt, plan: null });
    const goal = await finishedGoal(system.astra, id);
    expect(goal.view).toMatchObject({ status: 'completed', waitingFor: null, startAt });
    expect(goal.typesOf(null).slice(0, 4)).toEqual([
      'goal.submitted',
      'goal.waiting',
      'goal.released',
      'plan.proposed',
    ]);
    const begun = goal.events.find(({ type }) => type === 'plan.proposed')!;
    expect(Date.parse(begun.at)).toBeGreaterThanOrEqual(Date.parse(startAt!));
    expect(Date.parse(begun.at)).toBeLessThan(Date.parse(startAt!) + 3_000);
  });

  test('can be cancelled before, takes events before, and survives its worker', async () => {
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
    const cancelled = await submit(quick({ startAt: tomorrow }));
    const { id } = await submit(hooked({ delaySeconds: 4 }));
    await Promise.all([waits(cancelled.id), waits(id)]);
    await go(id);
    system.kill('worker');
    await system.astra.goals.cancel(cancelled.id, { reason: 'not needed' });
    const ended = await finishedGoal(system.astra, cancelled.id);
    expect(ended.view).toMatchObject({ status: 'cancelled', waitingFor: null, plan: null });
    expect(ended.events.at(-1)?.data).toEqual({ reason: 'not needed' });
    expect((await finishedGoal(system.astra, id)).view.status).toBe('completed');
  });
});

describe('a goal that depends on others', () => {
  test('begins when all of them have completed', async () => {
    const first = await submit(hooked());
    const second = await submit(quick());
    const third = await submit(quick({ dependsOnGoalIds: [first.id, second.id] }));
    const last = await submit(quick({ dependsOnGoalIds: [third.id] }));
    await Promise.all([waits(third.id), waits(last.id), finishedGoal(system.astra, second.id)]);
    expect(await system.astra.goals.get(third.id)).toMatchObject({ status: 'accepted', plan: null });
    await go(first.id);
    const goals = await Promise.all([first, third, last].map(({ id }) => finishedGoal(system.astra, id)));
    expect(goals.map(({ view }) => view.status)).toEqual(['completed', 'completed', 'completed']);
    for (const [index, goal] of goals.slice(1).entries()) {
      const begun = goal.events.find(({ type }) => type === 'plan.proposed')!;
      const endedBefore = Date.parse(goals[index]!.view.finishedAt!);
      expect(Date.parse(begun.at)).toBeGreaterThanOrEqual(endedBefore);
    }
    // One that is submitted after their end does not wait at all.
    const { view } = await finishedGoal(system.astra, (await submit(quick({ dependsOnGoalIds: [last.id] }))).id);
    expect(view.status).toBe('completed');
  });

  test('is told at once, not when it would look again', async () => {
    const first = await submit(hooked());
    const next = await submit(quick({ dependsOnGoalIds: [first.id] }));
    await waits(next.id);
    // By then it looks every few seconds.
    await until(
      async () => Date.now() - Date.parse((await system.astra.goals.get(next.id)).createdAt) > 8_000,
      '8 s pass',
    );
    await go(first.id);
    const [before, after] = await Promise.all([first, next].map(({ id }) => finishedGoal(system.astra, id)));
    expect(Date.parse(after!.view.finishedAt!) - Date.parse(before!.view.finishedAt!)).toBeLessThan(1_500);
  });

  test('finds out by itself when nobody tells it', async () => {
    const first = await submit(hooked());
    const next = await submit(quick({ dependsOnGoalIds: [first.id] }));
    await waits(next.id);
    const registered = async (): Promise<number | null> =>
      (await pool.query('DELETE FROM goal_waits WHERE awaited_goal_id = $1', [first.id])).rowCount;
    await until(async () => (await registered()) === 1, 'it was to be told');
    await go(first.id);
    expect((await finishedGoal(system.astra, next.id)).view.status).toBe('completed');
  });

  test.each(['failed', 'cancelled'] as const)('fails when one of them is %s', async (status) => {
    const failing = code('a', '() => { throw new Error("broken"); }');
    const first = await submit(status === 'failed' ? goalOf([hook, { ...failing, after: ['hook'] }]) : hooked());
    const next = await submit(quick({ dependsOnGoalIds: [first.id] }));
    const last = await submit(quick({ dependsOnGoalIds: [next.id] }));
    await waits(next.id);
    await (status === 'failed' ? go(first.id) : system.astra.goals.cancel(first.id));
    for (const { id } of [next, last]) {
      const { view, graph } = await finishedGoal(system.astra, id);
      expect(view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_DEPENDENCY_FAILED', retryable: false } });
      expect(graph.tasks, 'it never began').toEqual([]);
    }
    expect((await finishedGoal(system.astra, first.id)).view.status).toBe(status);
  });
});

describe('a cascade', () => {
  test('is cancelled as a whole: what runs, what waits, and what has not begun', async () => {
    const cascadeId = `release:${Date.now()}`;
    const done = await submit(quick({ cascadeId }));
    const running = await submit(hooked({ cascadeId }));
    const delayed = await submit(quick({ cascadeId, delaySeconds: 3_600 }));
    const stranger = await submit(hooked({ cascadeId: 'another' }));
    await finishedGoal(system.astra, done.id);
    await Promise.all([waits(delayed.id), awaitTask(system.astra, running.id, 'hook', 'running')]);
    await system.stopProcess('worker');
    const unbegun = await submit(quick({ cascadeId }));
    const answer = await cli('goal', 'cancel', '--cascade', cascadeId, '--reason', 'the release is off');
    expect(answer).toMatchObject({ exitCode: 0, stdout: `2 goals of ${cascadeId} are told to stop\n` });
    await system.startProcess('worker');
    for (const { id } of [running, delayed, unbegun]) {
      const goal = await finishedGoal(system.astra, id);
      expect(goal.view.status, id).toBe('cancelled');
      expect(goal.events.at(-1)?.data).toEqual({ reason: 'the release is off' });
    }
    const later = await finishedGoal(system.astra, (await submit(quick({ cascadeId }))).id);
    expect(later.view.status, 'it was submitted later').toBe('completed');
    const members: string[] = [];
    for await (const { id } of system.astra.goals.all({ cascadeId })) members.push(id);
    expect(members.toSorted()).toEqual([done, running, delayed, unbegun, later].map(({ id }) => id).toSorted());
    expect((await system.astra.goals.get(stranger.id)).status).toBe('running');
    await system.astra.goals.cancelCascade('another');
    expect((await finishedGoal(system.astra, stranger.id)).view.status).toBe('cancelled');
  });
});

describe('a batch', () => {
  const collect = async (source: AsyncIterable<BatchResult>): Promise<BatchResult[]> => {
    const all: BatchResult[] = [];
    for await (const result of source) all.push(result);
    return all;
  };

  test('starts a thousand goals, refuses those that are wrong, and repeated starts none twice', async () => {
    const cascadeId = `batch:${Date.now()}`;
    const isWrong = (index: number): boolean => index % 100 === 99;
    async function* goals(): AsyncGenerator<BatchGoal> {
      for (let index = 0; index < 1_000; index += 1) {
        const goal = quick({ cascadeId, input: { index } });
        yield isWrong(index) ? { ...goal, priority: 9 } : goal;
      }
    }
    const options = { idempotencyKey: cascadeId };
    const results = await collect(system.astra.goals.submitBatch(goals(), options));
    expect(results.map(({ index }) => index)).toEqual(Array.from({ length: 1_000 }, (_, index) => index));
    for (const { index, goal, error } of results) {
      if (isWrong(index))
        expect(error).toMatchObject({ code: 'ASTRA_BODY_INVALID', faults: [{ pointer: '/priority' }] });
      else expect(goal?.input).toEqual({ index });
    }
    const again = await collect(system.astra.goals.submitBatch(goals(), options));
    expect(again.map(({ goal }) => goal?.id)).toEqual(results.map(({ goal }) => goal?.id));
    const completed = async (): Promise<number> => {
      const text = `SELECT count(*) FROM goals WHERE cascade_id = $1 AND status = 'completed'`;
      const { rows } = await pool.query<{ count: string }>(text, [cascadeId]);
      return Number(rows[0]?.count);
    };
    await until(async () => (await completed()) === 990, 'all of them have completed', { timeoutSeconds: 120 });
  });

  test('comes from a file on the command line', async () => {
    const lines = [quick(), { objective: 'x', color: 'red' }, quick()].map((goal) => JSON.stringify(goal)).join('\n');
    const args = ['goal', 'submit-batch', '-', '-o', 'json'];
    const run = await runInProcess(system.apiUrl, args, { env: { ASTRA_TOKEN: system.token }, stdin: `${lines}\n` });
    expect(run.exitCode).toBe(1);
    const results = run.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, object>);
    expect(results).toMatchObject([
      { index: 0, goal: { status: 'accepted' } },
      { index: 1, error: { code: 'ASTRA_BODY_INVALID', errors: [{ pointer: '/color' }] } },
      { index: 2, goal: { status: 'accepted' } },
    ]);
  });
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
