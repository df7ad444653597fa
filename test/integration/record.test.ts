import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventDraft } from '../../domain/schemas/event.ts';
import {
  begin,
  completed,
  createRecordBench,
  draft,
  at,
  tool,
  type Process,
  type RecordBench,
} from './record-support.ts';
import { until } from '../support/until.ts';

let bench: RecordBench;
let one: Process;
let two: Process;

beforeAll(async () => {
  bench = await createRecordBench();
  [one, two] = await Promise.all([bench.start(), bench.start()]);
});
afterAll(() => bench.stop());

const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false };
const failed = (taskId: string): EventDraft => draft('task.failed', { error, startedAt: at(9) }, { taskId });
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `t${index}`);

describe('events', () => {
  test('have no gap and no double under eight concurrent recorders on the same and on different goals', async () => {
    const processes = [one, two, ...(await Promise.all(Array.from({ length: 6 }, () => bench.start())))];
    const goals = [bench.newGoal(), bench.newGoal(), bench.newGoal()];
    const tasks = ids(64).map((id) => tool(id));
    await Promise.all(goals.map((goal) => begin(one.recorder, goal, tasks)));

    await Promise.all(
      goals.flatMap((goal) =>
        processes.flatMap(({ recorder }, process) =>
          tasks
            .filter((_, index) => index % processes.length >= process)
            .map(({ id }) => recorder.record(goal, [completed(id, `${id} by ${process}`)])),
        ),
      ),
    );
    for (const goal of goals) {
      const events = await one.reader.events(goal.tenant, goal.goalId, { afterSeq: 0, limit: 500 });
      expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 66 }, (_, index) => index + 1));
      expect(new Set(events.slice(2).map(({ taskId }) => taskId))).toEqual(new Set(ids(64)));
      const view = await two.reader.view(goal.tenant, goal.goalId);
      expect(JSON.parse(view!.json)).toMatchObject({ seq: 66, progress: { total: 64, completed: 64, waiting: 0 } });
    }
    await Promise.all(processes.slice(2).map((process) => process.stop()));
  });

  test('are read in pages, as they were drafted', async () => {
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a')], { labels: { strange: 'NUL \0 and \ud800' } });
    await one.recorder.record(goal, [completed('a', { output: { z: 1, a: 'NUL \0 and \ud800' }, startedAt: at(9) })]);
    const page = await two.reader.events(goal.tenant, goal.goalId, { afterSeq: 1, limit: 1 });
    expect(page).toMatchObject([{ seq: 2, type: 'plan.proposed', at: at(1), goalId: goal.goalId }]);
    const [last] = await two.reader.events(goal.tenant, goal.goalId, { afterSeq: 2, limit: 10 });
    expect(JSON.stringify(last?.data)).toBe(
      JSON.stringify({ output: { z: 1, a: 'NUL \0 and \ud800' }, startedAt: at(9) }),
    );
  });
});

describe('a task', () => {
  test('ends once: the first recorded outcome is what every recorder answers', async () => {
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a'), tool('b')]);
    const answers = await Promise.all([
      one.recorder.record(goal, [completed('a')]),
      two.recorder.record(goal, [failed('a')]),
      one.recorder.record(goal, [failed('a')]),
    ]);
    const [first, second, third] = answers.map(({ outcomes }) => outcomes['a']);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    await expect(bench.start().then(({ recorder }) => recorder.outcome(goal, 'a'))).resolves.toEqual(first);
    const events = await one.reader.events(goal.tenant, goal.goalId, { afterSeq: 2, limit: 10 });
    expect(events).toHaveLength(1);
    await expect(two.recorder.outcome(goal, 'b')).resolves.toBeNull();
  });

  test('that another process recorded is known here though this one had the goal in memory', async () => {
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a'), tool('b', 'a')]);
    await two.recorder.record(goal, [failed('a')]);
    await expect(one.recorder.outcomes(goal, ['a', 'b'])).resolves.toEqual({ a: { status: 'failed', error } });
    await two.recorder.record(goal, [draft('goal.failed', { error })]);
    await expect(one.recorder.outcomes(goal, ['a', 'b'])).resolves.toEqual({
      a: { status: 'failed', error },
      b: { status: 'skipped' },
    });
    expect((await one.recorder.state(goal)).status).toBe('failed');
    // Nothing is news any more, and the answer is what the end of the goal made of the task.
    await expect(one.recorder.record(goal, [completed('b')])).resolves.toEqual({
      outcomes: { b: { status: 'skipped' } },
      status: 'failed',
    });
  });

  test('shows its start only when it does not end before that is recorded', async () => {
    const goal = bench.newGoal();
    const none = { id: 'none', kind: 'map', tool: 'text.render', after: [] } as const;
    await begin(one.recorder, goal, [tool('quick'), tool('slow'), none]);
    one.recorder.note(goal, draft('task.started', {}, { taskId: 'quick' }));
    one.recorder.note(goal, draft('task.started', {}, { taskId: 'slow' }));
    await one.recorder.record(goal, [completed('quick')]);
    const events = await one.reader.events(goal.tenant, goal.goalId, { afterSeq: 2, limit: 10 });
    expect(events.map(({ type, taskId }) => [type, taskId])).toEqual([
      ['task.started', 'slow'],
      ['task.completed', 'quick'],
    ]);
    one.recorder.note(goal, draft('task.started', { items: 0 }, { taskId: 'none' }));
    await one.recorder.record(goal, [completed('none', { output: [], startedAt: at(9) })]);
    await expect(two.recorder.task(goal, 'none')).resolves.toMatchObject({
      map: { total: 0, completed: 0, failed: 0 },
    });
    one.recorder.note(goal, draft('task.retrying', { error, nextAttemptAt: at(99) }, { taskId: 'slow' }));
    await expect
      .poll(async () => (await two.reader.task(goal.tenant, goal.goalId, 'slow'))?.status, { timeout: 5_000 })
      .toBe('retrying');
  });

  test('that the plan does not have is an error', async () => {
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a')]);
    await expect(one.recorder.record(goal, [completed('stranger')])).rejects.toMatchObject({ code: 'ASTRA_INTERNAL' });
  });
});

describe('a commit', () => {
  test('that Postgres refuses leaves no trace, and the others of its group go on', async () => {
    const [good, bad] = [bench.newGoal(), bench.newGoal()];
    await Promise.all([begin(one.recorder, good, [tool('a')]), begin(one.recorder, bad, [tool('a'), tool('b')])]);
    const tooLarge = { ...completed('a'), attempt: 2 ** 40 };
    const [refused, ...kept] = await Promise.allSettled([
      one.recorder.record(bad, [tooLarge]),
      one.recorder.record(bad, [completed('b')]),
      one.recorder.record(good, [completed('a')]),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'ASTRA_INTERNAL' } });
    expect(kept).toMatchObject([{ status: 'fulfilled' }, { status: 'fulfilled' }]);
    await expect(one.recorder.outcome(bad, 'a')).resolves.toBeNull();
    await one.recorder.record(bad, [completed('a')]);
    const events = await one.reader.events(bad.tenant, bad.goalId, { afterSeq: 0, limit: 10 });
    expect(events.map(({ seq, taskId }) => [seq, taskId])).toEqual([
      [1, null],
      [2, null],
      [3, 'b'],
      [4, 'a'],
    ]);
  });

  test('that fails for want of Postgres is rejected soon, leaves no trace, and succeeds when it is back', async () => {
    const goal = bench.newGoal();
    const cut = await bench.start();
    await begin(cut.recorder, goal, [tool('a')]);
    const blocker = await one.pool.connect();
    await blocker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
    const recorded = cut.recorder.record(goal, [completed('a')]);
    // The server ends the commit's connection in the middle of the statement.
    const cutOff = until(async () => {
      const { rowCount } = await blocker.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%WITH wanted%'`,
      );
      return rowCount === 1;
    }, 'the commit waits for the lock');
    await expect(Promise.all([recorded, cutOff])).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
    await blocker.query('COMMIT');
    blocker.release();
    await expect(cut.recorder.outcome(goal, 'a')).resolves.toBeNull();
    await expect(cut.recorder.record(goal, [completed('a')])).resolves.toEqual({
      outcomes: { a: { status: 'completed' } },
      status: 'running',
    });
    const events = await one.reader.events(goal.tenant, goal.goalId, { afterSeq: 0, limit: 10 });
    expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test('of a goal that nobody submitted is refused', async () => {
    await expect(one.recorder.record(bench.newGoal(), [completed('a')])).rejects.toMatchObject({
      code: 'ASTRA_NOT_FOUND',
    });
    await expect(one.recorder.head(bench.newGoal())).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('that submits a goal again changes nothing', async () => {
    const goal = bench.newGoal();
    await begin(one.recorder, goal, [tool('a')]);
    await begin(two.recorder, goal, [tool('other')]);
    await begin(one.recorder, goal, [tool('a')]);
    expect((await two.recorder.plan(goal)).outline.tasks.map(({ id }) => id)).toEqual(['a']);
    expect((await one.recorder.state(goal)).seq).toBe(2);
  });
});

describe('what expressions need', () => {
  test('is answered from memory and from Postgres alike', async () => {
    const goal = bench.newGoal();
    const each = { id: 'each', kind: 'map', tool: 'text.render', after: [] } as const;
    const artifact = {
      id: 'art_0123456789abcdef',
      name: 'n',
      mediaType: 'text/plain',
      sizeBytes: 1,
      sha256: 'a'.repeat(64),
    };
    await begin(one.recorder, goal, [tool('a'), tool('b'), tool('c'), tool('d'), each]);
    await one.recorder.record(goal, [
      completed('a', { output: null, startedAt: at(9) }),
      completed('b', { artifact, startedAt: at(9) }),
      failed('c'),
      draft('artifact.created', { artifact }, { taskId: 'b' }),
      draft('task.started', { items: 4 }, { taskId: 'each' }),
      completed('each.2', 'two'),
      failed('each.1'),
      completed('each.0', 'zero'),
    ]);
    for (const { recorder } of [one, two, two]) {
      await expect(recorder.outputs(goal, ['a', 'b', 'c', 'd'])).resolves.toEqual({
        a: { output: null },
        b: { artifact },
        c: null,
        d: null,
      });
      await expect(recorder.itemOutputs(goal, 'each', 4)).resolves.toEqual([
        { output: 'zero' },
        null,
        { output: 'two' },
        null,
      ]);
      await expect(recorder.outcomes(goal, ['each.0', 'each.1', 'each.3'])).resolves.toEqual({
        'each.0': { status: 'completed' },
        'each.1': { status: 'failed', error },
      });
      await expect(recorder.plan(goal)).resolves.toMatchObject({
        params: { depth: 2 },
        plan: { tasks: [{ id: 'a' }, {}, {}, {}, {}] },
      });
      await expect(recorder.head(goal)).resolves.toMatchObject({ id: goal.goalId, input: { b: 1, a: 2 } });
    }
  });

  test('includes approvals with their votes', async () => {
    const goal = bench.newGoal();
    const approvalId = `apr_${goal.goalId.slice(4)}.ask`;
    await begin(one.recorder, goal, [{ id: 'ask', kind: 'approval', after: [] }]);
    const asked = {
      approvalId,
      kind: 'task',
      prompt: 'go \0?',
      input: { n: 1 },
      required: 2,
      expiresAt: at(99),
    } as const;
    const vote = { approvalId, subject: 'ann', decision: 'approved', comment: null, status: 'pending' } as const;
    await one.recorder.record(goal, [draft('approval.requested', asked, { taskId: 'ask' })]);
    await two.recorder.record(goal, [draft('approval.decided', vote, { taskId: 'ask', second: 20 })]);
    await expect(one.recorder.approval(goal, approvalId)).resolves.toMatchObject({
      taskId: 'ask',
      prompt: 'go \uFFFD?',
      status: 'pending',
      votes: [{ subject: 'ann', at: at(20) }],
      expiresAt: at(99),
    });
    await expect(two.recorder.task(goal, 'ask')).resolves.toMatchObject({ status: 'awaiting_approval', attempt: 1 });
  });
});

test('a recorder that closes records what waits, and nothing afterwards', async () => {
  const goal = bench.newGoal();
  const closing = await bench.start();
  await begin(closing.recorder, goal, [tool('a')]);
  closing.recorder.note(goal, draft('task.started', {}, { taskId: 'a' }));
  const last = closing.recorder.record(goal, [draft('goal.context_assembled', { documents: 0, sizeBytes: 0 })]);
  await closing.recorder.close();
  await last;
  const events = await one.reader.events(goal.tenant, goal.goalId, { afterSeq: 2, limit: 10 });
  expect(events.map(({ type }) => type).sort()).toEqual(['goal.context_assembled', 'task.started']);
  await expect(closing.recorder.record(goal, [completed('a')])).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE' });
});
