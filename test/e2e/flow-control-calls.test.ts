import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Astra, LimitDefinition } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { untilLimitsAreKnown } from '../support/e2e/limits.ts';
import { startScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { fetching, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-calls-'));
  const toolModules = join(import.meta.dirname, '../support/chaos/counting-tools.ts');
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1', ASTRA_TOOL_MODULES: toolModules } });
});
afterAll(async () => {
  await system.stop();
  await rm(directory, { recursive: true, force: true });
});

/** A tenant of the test's own whose calls have one limit, which is in force. */
async function limited(definition: Omit<LimitDefinition, 'of' | 'key'>, key = 'tool'): Promise<Astra> {
  const scope = 'goals:read goals:write admin';
  const astra = await system.clientFor({ tenant: `calls-${randomBytes(6).toString('hex')}`, scope });
  await astra.limits.put('calls', { of: 'task', key, ...definition });
  await untilLimitsAreKnown(astra);
  return astra;
}

/** A tool that counts its executions, in a file of the test's own. */
function counting(name: 'test.count' | 'test.once', milliseconds: number) {
  const file = join(directory, randomBytes(6).toString('hex'));
  const task = (id: string, rest: Partial<Task> = {}): Task =>
    ({ id, kind: 'tool', tool: name, input: { file, milliseconds }, ...rest }) as Task;
  const executions = async (): Promise<number> =>
    (await readFile(file, 'utf8').catch(() => '')).split('\n').filter(Boolean).length;
  return { task, executions };
}

test('no more calls of a tool run at once than its limit allows, of all goals together', async () => {
  await using stack = new AsyncDisposableStack();
  const web = await startScriptedHttp();
  stack.defer(web.stop);
  const astra = await limited({ concurrency: 2, strategy: 'queue' });
  const each: Task = {
    id: 'each',
    kind: 'map',
    over: '[1, 2, 3, 4, 5, 6, 7, 8]',
    maxConcurrency: 8,
    task: { kind: 'tool', tool: 'http.fetch', input: { url: `${web.url}/{{ item }}?delay=100` } },
  };
  const goals = await Promise.all([1, 2].map(() => runGoal(astra, goalOf([each]))));
  expect(goals.map(({ view }) => view.status)).toEqual(['completed', 'completed']);
  expect(web.paths).toHaveLength(16);
  expect(web.mostAtOnce).toBeLessThanOrEqual(2);
  // To wait is no attempt.
  const attempts = goals.flatMap(({ events }) => events.map(({ attempt }) => attempt));
  expect(new Set(attempts)).toEqual(new Set([1]));
  expect(await astra.limits.get('calls')).toMatchObject({ holding: 0 });
});

test('a call that is put off does not begin while its goal is paused', async () => {
  const astra = await limited({ rate: { limit: 1, perSeconds: 3 }, strategy: 'queue' });
  const { task, executions } = counting('test.once', 0);
  const goal = await runGoal(astra, goalOf([task('first'), task('second', { after: ['first'] })]), async (id) => {
    await awaitTask(astra, id, 'second', ({ waitingFor: why }) => why?.kind === 'rate_limit');
    await astra.goals.pause(id, { reason: 'lunch' });
    // Its turn has come.
    const { waitingFor } = await awaitTask(astra, id, 'second', ({ waitingFor: why }) => why?.kind === 'paused');
    expect(waitingFor).toMatchObject({ detail: 'lunch' });
    expect(await executions()).toBe(1);
    await astra.goals.resume(id);
  });
  expect(goal.view.status).toBe('completed');
  expect(await executions()).toBe(2);
});

test('a call beyond a rate is put off until its time has come, says so, and that is no attempt', async () => {
  const astra = await limited({ rate: { limit: 1, perSeconds: 4 }, strategy: 'queue' });
  const { task, executions } = counting('test.once', 0);
  const goal = await runGoal(astra, goalOf([task('first'), task('second', { after: ['first'] })]), async (id) => {
    const { waitingFor } = await awaitTask(astra, id, 'second', ({ waitingFor: why }) => why?.kind === 'rate_limit');
    expect(waitingFor).toMatchObject({ kind: 'rate_limit', detail: 'calls' });
    expect(Date.parse(waitingFor!.until!)).toBeGreaterThan(Date.now());
  });
  expect(goal.task('second')).toMatchObject({ status: 'completed', attempt: 1, waitingFor: null });
  expect(goal.typesOf('second')).toEqual(expect.arrayContaining(['task.queued', 'task.completed']));
  expect(await executions()).toBe(2);
});

test('calls that must wait longer than a moment leave their worker, and all have their turn', async () => {
  const astra = await limited({ concurrency: 1, strategy: 'queue' });
  const { task, executions } = counting('test.count', 700);
  const tasks = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => task(id));
  const goal = await runGoal(astra, goalOf(tasks), async (id) => {
    await until(async () => {
      const graph = await astra.goals.graph(id);
      return graph.tasks.some(({ status, waitingFor }) => status === 'queued' && waitingFor?.kind === 'concurrency');
    }, 'a call is put off');
  });
  expect(goal.view).toMatchObject({ status: 'completed', progress: { completed: 6 } });
  expect(goal.graph.tasks.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1, 1]);
  expect(await executions()).toBe(6);
});

test('a call beyond a limit that rejects fails, and its retry policy decides about another attempt', async () => {
  const astra = await limited({ concurrency: 1, strategy: 'reject' });
  const { task, executions } = counting('test.count', 1_500);
  const retry = { maxAttempts: 5, initialIntervalSeconds: 1, backoffCoefficient: 1 };
  const goal = await runGoal(astra, goalOf([task('holds')]), async (id) => {
    await until(async () => (await executions()) === 1, 'the first call runs');
    const refused = await runGoal(astra, goalOf([task('once', { retry: { maxAttempts: 1 } })]));
    expect(refused.task('once')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_LIMIT_REACHED' } });
    const patient = await runGoal(astra, goalOf([task('again', { retry })]));
    expect(patient.task('again').status).toBe('completed');
    expect(patient.task('again').attempt).toBeGreaterThan(1);
    await finishedGoal(astra, id);
  });
  expect(goal.view.status).toBe('completed');
});

test('a key may pick the calls that it counts', async () => {
  await using stack = new AsyncDisposableStack();
  const web = await startScriptedHttp();
  stack.defer(web.stop);
  const astra = await limited(
    { concurrency: 1, strategy: 'reject' },
    "tool == 'test.count' ? goal.labels.customer : null",
  );
  const { task, executions } = counting('test.count', 1_500);
  const ofCustomer = { labels: { customer: 'c-1' } };
  const holding = await astra.goals.submit(goalOf([task('holds')], null, ofCustomer));
  await until(async () => (await executions()) === 1, 'the first call runs');
  const tasks = [fetching('page', `${web.url}/page`), task('other', { onFailure: 'continue' })];
  const goal = await runGoal(astra, goalOf(tasks, null, { labels: { customer: 'c-2' } }));
  expect(goal.graph.tasks.map(({ status }) => status)).toEqual(['completed', 'completed']);
  await finishedGoal(astra, holding.id);
});

test('a call whose worker dies keeps its slot for its next attempt', async () => {
  const astra = await limited({ concurrency: 1, strategy: 'queue' });
  const { task, executions } = counting('test.count', 2_500);
  const goal = await runGoal(astra, goalOf([task('a'), task('b')]), async () => {
    await until(async () => (await executions()) === 1, 'the first call runs');
    system.kill('worker');
  });
  expect(goal.view).toMatchObject({ status: 'completed', progress: { completed: 2 } });
  expect(await executions()).toBe(3);
});

test('a call that must not run twice does not, when its worker dies', async () => {
  const { task, executions } = counting('test.once', 5_000);
  const goal = await runGoal(system.astra, goalOf([task('pay', { onFailure: 'continue' })]), async () => {
    await until(async () => (await executions()) === 1, 'the call runs');
    system.kill('worker');
  });
  expect(goal.task('pay')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_EFFECT_IN_DOUBT' } });
  expect(await executions()).toBe(1);
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test('quick calls that share an activity take a slot each; those beyond the limit go on in activities of their own', async () => {
  const { task, executions } = counting('test.count', 0);
  const map = (items: number): Task => {
    const { kind, tool, input } = task('each') as Extract<Task, { kind: 'tool' }>;
    return { id: 'each', kind: 'map', over: JSON.stringify(Array(items).fill(0)), task: { kind, tool, input } };
  };
  // As it is seen to be quick.
  expect(await runGoal(system.astra, goalOf([map(40)]))).toMatchObject({ view: { status: 'completed' } });
  const astra = await limited({ rate: { limit: 10, perSeconds: 5 }, strategy: 'queue' });
  const { view, events } = await runGoal(astra, goalOf([map(16)]));
  expect(view.status).toBe('completed');
  expect(await executions()).toBe(40 + 16);
  const putOff = events.filter(({ type }) => type === 'task.queued');
  expect(putOff).not.toEqual([]);
  expect(putOff.every(({ data }) => JSON.stringify(data).includes('rate_limit'))).toBe(true);
});
