import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../../cli/test-support/run-in-process.ts';
import { isAstraError, type Astra, type GoalStatus, type Schedule, type ScheduleDefinition } from '../../sdk/index.ts';
import { finishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let astra: Astra;
let token: string;
const tenant = `schedules-${Date.now()}`;
beforeAll(async () => {
  system = await startSystem();
  token = await system.tokenFor({ tenant });
  astra = await system.clientFor({ tenant });
});
afterAll(() => system.stop());

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const quick = goalOf([echo('a', 1)], undefined, { labels: { by: 'schedule' } });
/** Once a year: what runs is what the test tells to. */
const yearly = (name: string, rest: Partial<ScheduleDefinition> = {}): ScheduleDefinition => ({
  name,
  cron: '0 0 1 1 *',
  goal: quick,
  ...rest,
});
const goalIdsOf = async (name: string): Promise<string[]> =>
  (await astra.schedules.get(name)).recentRuns.map(({ goalId }) => goalId);
const statusOf = async (id: string): Promise<GoalStatus | null> => {
  try {
    return (await astra.goals.get(id)).status;
  } catch (error) {
    // It is known a moment after its run.
    if (isAstraError(error, 'ASTRA_NOT_FOUND')) return null;
    throw error;
  }
};
/** The goals that the schedule has started, as soon as there are so many. */
async function runsOf(name: string, count: number): Promise<string[]> {
  let ids: string[] = [];
  await until(async () => (ids = await goalIdsOf(name)).length >= count, `${name} has run ${count} times`);
  for (const id of ids) await until(async () => (await statusOf(id)) !== null, `${id} is known`);
  return ids;
}
const awaitStatus = (id: string, status: GoalStatus): Promise<void> =>
  until(async () => (await statusOf(id)) === status, `${id} is ${status}`);
const cli = (...args: string[]) => runInProcess(system.apiUrl, args, { env: { ASTRA_TOKEN: token } });

describe('a schedule', () => {
  test('starts its goal at each of its times, until it is paused or deleted', async () => {
    const created = await astra.schedules.create({ name: 'each-second', everySeconds: 1, goal: quick });
    expect(created).toMatchObject({ cron: null, everySeconds: 1, overlap: 'skip', timezone: 'UTC', paused: false });
    const [first] = await runsOf('each-second', 2);
    const goal = await finishedGoal(astra, first!);
    expect(goal.view).toMatchObject({ status: 'completed', labels: { by: 'schedule' }, parentGoalId: null });

    expect(await astra.schedules.pause('each-second', { reason: 'holiday' })).toMatchObject({
      paused: true,
      note: 'holiday',
    });
    const pausedAt = Date.now();
    await until(() => Date.now() - pausedAt > 2_500, 'times pass');
    const { recentRuns } = await astra.schedules.get('each-second');
    expect(recentRuns.filter(({ startedAt }) => Date.parse(startedAt) > pausedAt + 500)).toEqual([]);
    expect(await astra.schedules.resume('each-second')).toMatchObject({ paused: false });
    await astra.schedules.delete('each-second');
    await expect(astra.schedules.get('each-second')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('is listed with its next and latest runs, for its tenant alone', async () => {
    const definition = yearly('listed', { cron: '30 4 * * MON', timezone: 'Europe/Berlin', jitterSeconds: 10 });
    await astra.schedules.create(definition);
    let listed: Schedule | undefined;
    await until(async () => {
      const { items } = await astra.schedules.list();
      listed = items.find(({ name }) => name === 'listed');
      return listed !== undefined;
    }, 'it is in the list');
    expect(listed).toEqual(await astra.schedules.get('listed'));
    expect(listed).toMatchObject({ ...definition, everySeconds: null, recentRuns: [] });
    const next = new Date(listed!.nextRuns[0]!);
    expect([next.getUTCDay(), next.getUTCMinutes()], 'Mondays').toEqual([1, 30]);

    const stranger = await system.clientFor({ tenant: `${tenant}-2` });
    expect((await stranger.schedules.list()).items).toEqual([]);
    await expect(stranger.schedules.get('listed')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
    await expect(stranger.schedules.delete('listed')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
    await expect(stranger.schedules.trigger('listed')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('is created once, and replaced on purpose', async () => {
    const first = await astra.schedules.create(yearly('once'));
    expect(await astra.schedules.create(yearly('once'))).toMatchObject({ createdAt: first.createdAt });
    await expect(astra.schedules.create(yearly('once', { overlap: 'allow' }))).rejects.toMatchObject({
      code: 'ASTRA_SCHEDULE_EXISTS',
    });
    await astra.schedules.pause('once');
    const replaced = await astra.schedules.replace({
      name: 'once',
      everySeconds: 3_600,
      overlap: 'allow',
      goal: quick,
    });
    expect(replaced).toMatchObject({ everySeconds: 3_600, cron: null, overlap: 'allow', paused: true });
    await expect(astra.schedules.replace(yearly('never-was'))).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test.each([
    ['a goal that is none', { goal: { objective: 'x', plan: { tasks: [] } } }, '/goal/plan/tasks'],
    ['a goal with a date of its own', { goal: { ...quick, delaySeconds: 1 } }, '/goal/delaySeconds'],
    ['a time that there is not', { cron: '99 * * * *' }, '/cron'],
    ['a field that does not exist', { color: 'red' }, '/color'],
  ])('with %s is refused', async (_, wrong, pointer) => {
    const error = await astra.schedules.create({ ...yearly('wrong'), ...wrong }).catch((e: unknown) => e);
    expect(isAstraError(error) && error.status).toBe(422);
    expect(isAstraError(error) && error.faults.map((fault) => fault.pointer)).toContain(pointer);
    await expect(astra.schedules.get('wrong')).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  });

  test('is triggered, once for a key, also while it is paused', async () => {
    await astra.schedules.create(yearly('on-demand'));
    await astra.schedules.pause('on-demand');
    await astra.schedules.trigger('on-demand', { idempotencyKey: 'a' });
    await astra.schedules.trigger('on-demand', { idempotencyKey: 'a' });
    const [id] = await runsOf('on-demand', 1);
    expect((await finishedGoal(astra, id!)).view.status).toBe('completed');
    await astra.schedules.trigger('on-demand', { idempotencyKey: 'b' });
    const ids = await runsOf('on-demand', 2);
    expect(new Set(ids).size).toBe(2);
  });

  test('runs past times on demand, and says before which', async () => {
    await astra.schedules.create({ name: 'past', cron: '0 6 * * *', timezone: 'UTC', goal: quick });
    const range = { from: '2026-01-01T06:00:00Z', to: '2026-01-03T06:00:00Z' };
    const times = ['2026-01-01T06:00:00.000Z', '2026-01-02T06:00:00.000Z', '2026-01-03T06:00:00.000Z'];
    expect(await astra.schedules.backfill('past', range, { dryRun: true })).toEqual({ times });
    expect(await goalIdsOf('past')).toEqual([]);
    expect(await astra.schedules.backfill('past', range)).toEqual({ times });
    const ids = await runsOf('past', 3);
    expect(ids).toHaveLength(3);
    for (const id of ids) expect((await finishedGoal(astra, id)).view.status).toBe('completed');
    const { recentRuns } = await astra.schedules.get('past');
    expect(recentRuns.map(({ scheduledAt }) => scheduledAt)).toEqual(times);
    const long = { from: '2020-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' };
    await expect(astra.schedules.backfill('past', long)).rejects.toMatchObject({ code: 'ASTRA_BODY_INVALID' });
  });
});

describe('when a time comes while a goal of the schedule runs', () => {
  const waiting = (name: string, overlap: ScheduleDefinition['overlap']): ScheduleDefinition => ({
    name,
    everySeconds: 1,
    overlap,
    goal: goalOf([hook]),
  });
  const stop = async (name: string): Promise<void> => {
    const ids = await goalIdsOf(name);
    await astra.schedules.delete(name);
    await Promise.all(ids.map((id) => astra.goals.cancel(id).catch(() => undefined)));
  };

  test('`skip` starts none', async () => {
    await astra.schedules.create(waiting('skips', 'skip'));
    const [id] = await runsOf('skips', 1);
    const next = (await astra.schedules.get('skips')).nextRuns[0]!;
    await until(async () => (await astra.schedules.get('skips')).nextRuns[0]! > next, 'a time has passed');
    expect(await goalIdsOf('skips')).toEqual([id]);
    await astra.goals.sendEvent(id!, { name: 'go' });
    await runsOf('skips', 2);
    await stop('skips');
  });

  test('`allow` starts another', async () => {
    await astra.schedules.create(waiting('allows', 'allow'));
    const ids = await runsOf('allows', 3);
    await Promise.all(ids.slice(0, 3).map((id) => awaitStatus(id, 'running')));
    await stop('allows');
  });

  test('`cancel_other` cancels the one that runs', async () => {
    await astra.schedules.create(waiting('cancels', 'cancel_other'));
    const [first, second] = await runsOf('cancels', 2);
    await awaitStatus(first!, 'cancelled');
    expect(second).not.toBe(first);
    await stop('cancels');
  });

  test('`buffer` starts the next when that one has ended', async () => {
    await astra.schedules.create(waiting('buffers', 'buffer'));
    const [first] = await runsOf('buffers', 1);
    await awaitStatus(first!, 'running');
    await until(
      async () => Date.now() - Date.parse((await astra.schedules.get('buffers')).createdAt) > 4_000,
      'more times have come',
    );
    expect(await goalIdsOf('buffers')).toEqual([first]);
    await astra.goals.sendEvent(first!, { name: 'go' });
    const [, second] = await runsOf('buffers', 2);
    await awaitStatus(second!, 'running');
    expect(await statusOf(first!)).toBe('completed');
    expect(await goalIdsOf('buffers')).toEqual([first, second]);
    await stop('buffers');
  });
});

test('the command line does all of it', async () => {
  const created = await runInProcess(system.apiUrl, ['schedule', 'create', '-'], {
    env: { ASTRA_TOKEN: token },
    stdin: JSON.stringify(yearly('by-hand')),
  });
  expect(created.stdout).toContain('by-hand  0 0 1 1 * UTC');
  expect((await cli('schedule', 'pause', 'by-hand', '--reason', 'x')).stdout).toBe('by-hand paused\n');
  expect((await cli('schedule', 'resume', 'by-hand')).stdout).toBe('by-hand goes on\n');
  await cli('schedule', 'trigger', 'by-hand');
  const [id] = await runsOf('by-hand', 1);
  expect((await cli('schedule', 'get', 'by-hand')).stdout).toContain(id);
  const range = ['--from', '2025-01-01T00:00:00Z', '--to', '2025-02-01T00:00:00Z'];
  expect((await cli('schedule', 'backfill', 'by-hand', ...range, '--dry-run')).stdout).toBe(
    '2025-01-01T00:00:00.000Z\n',
  );
  await until(async () => (await cli('schedule', 'list')).stdout.includes('by-hand'), 'it is listed');
  expect((await cli('schedule', 'delete', 'by-hand')).stdout).toBe('by-hand deleted\n');
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
