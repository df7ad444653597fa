import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptedState, graphView } from '../../domain/goal-view.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import { goalStateSchema, goalHeadSchema, graphViewSchema } from '../../domain/schemas/goal.ts';
import { keys } from '../../stores/cache/keys.ts';
import { loadGoal } from '../../stores/postgres/load-goal.ts';
import { readSnapshot } from '../../stores/postgres/read-goal.ts';
import { foldEvents } from '../../stores/postgres/rebuild-goal.ts';
import { until } from '../support/until.ts';
import {
  at,
  begin,
  completed,
  createRecordBench,
  draft,
  headOf,
  tool,
  type Process,
  type RecordBench,
} from './record-support.ts';

let bench: RecordBench;
let worker: Process;
let api: Process;

beforeAll(async () => {
  bench = await createRecordBench();
  [worker, api] = await Promise.all([bench.start(), bench.start()]);
});
afterAll(() => bench.stop());

const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false };
const view = async (process: Process, { tenant, goalId }: GoalRef) => {
  const found = await process.reader.view(tenant, goalId);
  return found && (JSON.parse(found.json) as { seq: number; status: string; objective: string });
};
const inRedis = (process: Process, goal: GoalRef): Promise<string | null> => process.redis.hget(keys.goal(goal), 'seq');

describe('reads', () => {
  test('of the view and the graph are answered by Redis without a query to Postgres', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, [tool('a'), tool('b', 'a')]);
    await worker.recorder.record(goal, [completed('a', { output: { n: 1 }, startedAt: at(9) })]);
    const before = { ...api.queries };
    const found = await api.reader.view(goal.tenant, goal.goalId);
    const graph = await api.reader.graph(goal.tenant, goal.goalId);
    expect(api.queries).toEqual({ ...before, redis: before.redis + 2 });

    const parsed: unknown = JSON.parse(found!.json);
    expect(goalHeadSchema.extend(goalStateSchema.shape).parse(parsed)).toMatchObject({
      id: goal.goalId,
      seq: 3,
      input: { b: 1, a: 2 },
    });
    expect(graphViewSchema.parse(graph)).toMatchObject({
      seq: 3,
      tasks: [
        { id: 'a', status: 'completed', output: { n: 1 } },
        { id: 'b', status: 'queued' },
      ],
      edges: [{ from: 'a', to: 'b' }],
      criticalPath: ['a', 'b'],
    });
  });

  test('leave large outputs out of the graph and give them with their task', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, [
      tool('a'),
      tool('b'),
      { id: 'each', kind: 'map', tool: 'text.render', after: [] },
    ]);
    const large = 'x'.repeat(4_000);
    await worker.recorder.record(goal, [
      completed('a', large),
      completed('b', { output: null, startedAt: at(9) }),
      completed('each.1', large),
    ]);
    const fromRedis = await api.reader.graph(goal.tenant, goal.goalId);
    await api.redis.del(keys.goal(goal));
    const fromPostgres = await api.reader.graph(goal.tenant, goal.goalId);
    expect(fromPostgres).toEqual(fromRedis);
    expect(fromRedis?.tasks[0]).not.toHaveProperty('output');
    expect(fromRedis?.tasks[1]).toHaveProperty('output', null);
    await expect(api.reader.task(goal.tenant, goal.goalId, 'a')).resolves.toMatchObject({ output: large });
    await expect(api.reader.task(goal.tenant, goal.goalId, 'each.1')).resolves.toMatchObject({
      id: 'each.1',
      kind: 'tool',
      status: 'completed',
      output: large,
      startedAt: at(9),
    });
    await expect(api.reader.task(goal.tenant, goal.goalId, 'each.7')).resolves.toBeNull();
    await expect(api.reader.task(goal.tenant, goal.goalId, 'nobody')).resolves.toBeNull();
  });

  test('know a goal as soon as it is accepted, and another tenant never', async () => {
    const goal = bench.newGoal();
    await api.reader.seed(headOf(goal, { objective: 'seeded' }), acceptedState);
    await expect(view(worker, goal)).resolves.toMatchObject({ seq: 0, status: 'accepted', objective: 'seeded' });
    await begin(worker.recorder, goal, [tool('a')], { objective: 'recorded' });
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 2, status: 'running', objective: 'recorded' });
    await api.reader.seed(headOf(goal, { objective: 'late' }), acceptedState);
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 2, objective: 'recorded' });
    await expect(api.reader.graph(goal.tenant, goal.goalId)).resolves.toMatchObject({ seq: 2, tasks: [{ id: 'a' }] });
    await expect(api.reader.view('somebody-else', goal.goalId)).resolves.toBeNull();
  });

  test('that many ask for at once cost Postgres few queries', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, [tool('a')]);
    await api.redis.del(keys.goal(goal));
    const before = api.queries.postgres;
    await Promise.all(Array.from({ length: 50 }, () => view(api, goal)));
    expect(api.queries.postgres - before).toBeLessThanOrEqual(2);
  });
});

describe('the cache', () => {
  test('takes only what is newer', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, [tool('a'), tool('b')]);
    const old = (await readSnapshot(api.pool, goal))!;
    await worker.recorder.record(goal, [completed('a')]);
    await api.viewCache.fill(goal, old, { status: 'running' });
    await expect(inRedis(api, goal)).resolves.toBe('3');
    // A commit that finds no snapshot to build on leaves a floor, under which a slow reader's copy stays out.
    await api.redis.del(keys.goal(goal));
    await worker.recorder.record(goal, [completed('b')]);
    await api.viewCache.fill(goal, old, { status: 'running' });
    await expect(inRedis(api, goal)).resolves.toBeNull();
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 4 });
    await expect(inRedis(api, goal)).resolves.toBe('4');
  });

  test('follows a commit whose recorder died before it told', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, [tool('a')]);
    const dying = await bench.start({ redisUrl: 'redis://127.0.0.1:1', awaitCache: false });
    await dying.recorder.record(goal, [completed('a')]);
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 2 });
    await worker.recorder.record(goal, [completed('a')]);
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 3 });
  });

  test('wakes the watchers of a goal with the new seq, after the views are in place', async () => {
    const goal = bench.newGoal();
    const subscriber = api.redis.duplicate();
    await once(subscriber, 'ready');
    await subscriber.subscribe(keys.wake(goal));
    const woken: (readonly [string, string | null])[] = [];
    subscriber.on('message', (_channel: string, message: string) => {
      void inRedis(api, goal).then((seq) => woken.push([message, seq]));
    });
    await begin(worker.recorder, goal, [tool('a')]);
    await until(() => woken.length === 1, 'the first commit woke');
    await worker.recorder.record(goal, [completed('a')]);
    await until(() => woken.length === 2, 'the second commit woke');
    expect(woken).toEqual([
      ['2', '2'],
      ['3', '3'],
    ]);
    subscriber.disconnect();
  });
});

/** Deterministic, so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('after any run', () => {
  const names = ['a', 'b', 'c', 'd', 'each'];
  const plan = [
    tool('a'),
    tool('b', 'a'),
    { ...tool('c'), onFailure: 'continue' as const },
    tool('d', 'b', 'c'),
    { id: 'each', kind: 'map' as const, tool: 'text.render', after: [] },
  ];

  function randomDraft(random: (below: number) => number): EventDraft {
    const item = `each.${random(5)}`;
    const taskId = [...names, item, item, item][random(8)]!;
    const about = { taskId, attempt: 1 + random(3), second: 10 + random(50) };
    const kinds: readonly (() => EventDraft)[] = [
      () => draft('task.started', {}, about),
      () => draft('task.started', {}, about),
      () =>
        draft(
          'task.retrying',
          { error, nextAttemptAt: at(99) },
          { ...about, taskId: taskId === 'each' ? 'a' : taskId },
        ),
      () => draft('task.completed', { output: { by: taskId }, startedAt: at(9) }, about),
      () => draft('task.failed', { error, startedAt: at(9) }, about),
      () => draft('task.skipped', { reason: 'condition' }, about),
      () => draft('task.started', { items: 5 }, { taskId: 'each' }),
      () =>
        random(30) === 0
          ? draft('goal.failed', { error })
          : draft('goal.context_assembled', { documents: 0, sizeBytes: 1 }),
    ];
    return kinds[random(kinds.length)]!();
  }

  test.each([1, 2, 3, 4, 5, 6])('Redis, the rows and a fold of the events tell the same (run %i)', async (seed) => {
    const random = createRandom(seed);
    const goals = [bench.newGoal(), bench.newGoal(), bench.newGoal()];
    await Promise.all(goals.map((goal) => begin(worker.recorder, goal, plan)));
    const recordings: Promise<unknown>[] = [];
    for (let step = 0; step < 60; step += 1) {
      const goal = goals[random(goals.length)]!;
      const { recorder } = random(2) === 0 ? worker : api;
      const drafts = Array.from({ length: 1 + random(3) }, () => randomDraft(random));
      if (random(4) === 0) recorder.note(goal, drafts[0]!);
      else recordings.push(recorder.record(goal, drafts));
      if (random(5) === 0) await Promise.allSettled(recordings);
    }
    expect((await Promise.allSettled(recordings)).filter(({ status }) => status === 'rejected')).toEqual([]);
    await Promise.all(
      goals.map((goal) => worker.recorder.record(goal, [draft('task.cancelled', { reason: null }, { taskId: 'd' })])),
    );

    for (const goal of goals) {
      const { record } = await foldEvents(api.pool, goal);
      await expect(loadGoal(api.pool, goal)).resolves.toEqual(record);
      const outputs = new Map(
        [...record.tasks].filter(([, { status }]) => status === 'completed').map(([id]) => [id, { by: id }]),
      );
      const before = api.queries.postgres;
      await expect(view(api, goal)).resolves.toEqual({ ...record.head, ...record.state });
      await expect(api.reader.graph(goal.tenant, goal.goalId)).resolves.toEqual(graphView(record, { outputs }));
      expect(api.queries.postgres - before).toBeLessThanOrEqual(1);
      await expect(inRedis(api, goal)).resolves.toBe(String(record.state.seq));
    }
  });

  test('a rebuild makes rows and views anew from the events', async () => {
    const goal = bench.newGoal();
    await begin(worker.recorder, goal, plan);
    await worker.recorder.record(goal, [
      completed('a'),
      completed('each.3'),
      draft('task.started', {}, { taskId: 'c' }),
    ]);
    const [graph, record] = [await api.reader.graph(goal.tenant, goal.goalId), await loadGoal(api.pool, goal)];
    await api.pool.query(`UPDATE tasks SET status = 'failed', state = '{}' WHERE goal_id = $1`, [goal.goalId]);
    await api.pool.query(`UPDATE tasks SET item = 9 WHERE goal_id = $1 AND task_id = 'each' AND item = 3`, [
      goal.goalId,
    ]);
    await api.pool.query(`UPDATE goals SET state = '{"seq":4}', marks = 'x' WHERE goal_id = $1`, [goal.goalId]);
    await api.redis.hset(keys.goal(goal), 'state', '{}');
    await expect(api.reader.rebuild(goal.tenant, goal.goalId)).resolves.toBe(true);
    await expect(loadGoal(api.pool, goal)).resolves.toEqual(record);
    await expect(api.reader.graph(goal.tenant, goal.goalId)).resolves.toEqual(graph);
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 5, status: 'running' });
    await worker.recorder.record(goal, [completed('b')]);
    await expect(view(api, goal)).resolves.toMatchObject({ seq: 6 });
    await expect(api.reader.rebuild(goal.tenant, bench.newGoal().goalId)).resolves.toBe(false);
  });
});

describe('while Redis is away', () => {
  let server: ChildProcess;
  let directory: string;
  let port: number;
  let url: string;
  let binary: string;

  async function startServer(): Promise<void> {
    server = spawn(binary, ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory], {
      stdio: 'ignore',
    });
    await once(server, 'spawn');
  }
  async function killServer(): Promise<void> {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }

  beforeAll(async () => {
    binary = /executable:(.+)/.exec(await api.redis.info('server'))![1]!.trim();
    directory = await mkdtemp(join(tmpdir(), 'astra-redis-'));
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    ({ port } = probe.address() as AddressInfo);
    probe.close();
    url = `redis://127.0.0.1:${port}`;
    await startServer();
  });
  afterAll(async () => {
    await killServer();
    await rm(directory, { recursive: true });
  });

  test('goals are recorded and read, and no old view comes back with it', async () => {
    const [recording, reading] = await Promise.all([bench.start({ redisUrl: url }), bench.start({ redisUrl: url })]);
    const goal = bench.newGoal();
    await begin(recording.recorder, goal, [tool('a'), tool('b')]);
    await expect(view(reading, goal)).resolves.toMatchObject({ seq: 2 });
    const forgotten = bench.newGoal();
    await begin(recording.recorder, forgotten, [tool('a')]);
    await reading.redis.save();
    // The server tells that it has this, and will not have it any more.
    await recording.recorder.record(forgotten, [completed('a')]);
    await killServer();
    await recording.recorder.record(goal, [completed('a')]);
    await expect(view(reading, goal)).resolves.toMatchObject({ seq: 3 });
    expect(reading.viewCache.trusted).toBe(false);

    await startServer();
    await until(() => reading.viewCache.trusted && recording.viewCache.trusted, 'the cache is trusted again');
    await expect(view(reading, goal)).resolves.toMatchObject({ seq: 3 });
    await expect(view(reading, forgotten)).resolves.toMatchObject({ seq: 3 });
    await recording.recorder.record(goal, [completed('b')]);
    await expect(view(reading, goal)).resolves.toMatchObject({ seq: 4 });
    const before = reading.queries.postgres;
    await expect(view(reading, goal)).resolves.toMatchObject({ seq: 4 });
    expect(reading.queries.postgres).toBe(before);
  });

  test('recording does not hang on a server that does not answer', async () => {
    const process = await bench.start({ redisUrl: url });
    const goal = bench.newGoal();
    await begin(process.recorder, goal, [tool('a'), tool('b')]);
    server.kill('SIGSTOP');
    try {
      const begun = performance.now();
      await process.recorder.record(goal, [completed('a')]);
      await process.recorder.record(goal, [completed('b')]);
      await expect(view(process, goal)).resolves.toMatchObject({ seq: 4 });
      expect(performance.now() - begun).toBeLessThan(2_000);
    } finally {
      server.kill('SIGCONT');
    }
    await until(() => process.viewCache.trusted, 'the cache is trusted again');
    await expect(view(process, goal)).resolves.toMatchObject({ seq: 4 });
    await until(async () => (await inRedis(process, goal)) === '4', 'the view is cached again');
  });

  test('and Postgres too, reads say so', async () => {
    const process = await bench.start({
      redisUrl: 'redis://127.0.0.1:1',
      databaseUrl: 'postgres://127.0.0.1:1/none',
      awaitCache: false,
    });
    const goal = bench.newGoal();
    await expect(view(process, goal)).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
    await expect(process.recorder.outcome(goal, 'a')).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
    await expect(process.recorder.record(goal, [completed('a')])).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
  });
});
