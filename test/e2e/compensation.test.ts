import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Deed } from '../support/cancel/undoable-tools.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, echo, goalOf, shell, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal } from '../support/e2e/temporal.ts';
import { until } from '../support/until.ts';

let system: System;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-undo-'));
  const toolModules = join(import.meta.dirname, '../support/cancel/undoable-tools.ts');
  system = await startSystem({ env: { ASTRA_TOOL_MODULES: toolModules } });
});
afterAll(async () => {
  await system.stop();
  await rm(directory, { recursive: true, force: true });
});

let files = 0;
const newFile = (): string => join(directory, `${(files += 1)}.ndjson`);
async function undone(file: string): Promise<readonly Deed[]> {
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  // The tool wrote them.
  return lines.map((line) => JSON.parse(line) as Deed).filter(({ what }) => what === 'undone');
}

const undoable = (id: string, file: string, rest: Partial<Extract<Task, { kind: 'tool' }>> = {}, input = {}): Task => ({
  id,
  kind: 'tool',
  tool: 'test.undoable',
  input: { file, ...input },
  ...rest,
});
const hook = (...after: string[]): Task => ({ id: 'hook', kind: 'wait', event: 'never.comes', after });
const receipts = ({ graph }: Pick<FinishedGoal, 'graph'>): Record<string, string | null> =>
  Object.fromEntries(graph.tasks.map(({ id, cancelReceipt }) => [id, cancelReceipt]));
const taskIds = (deeds: readonly Deed[]): readonly string[] =>
  deeds.map(({ effectId }) => effectId.split('/')[1] ?? '');

const cancelOnceWaiting = (compensate: boolean) => async (id: string) => {
  await awaitTask(system.astra, id, 'hook', 'running');
  await system.astra.goals.cancel(id, { reason: 'enough', compensate });
};

describe('receipts', () => {
  test('tell what came of each task, and are null in a goal that was not cancelled', async () => {
    const tasks = [
      echo('before', 1),
      shell('nap', 'sleep 300', { after: ['before'] }),
      echo('after', 1, { after: ['nap'] }),
    ];
    const goal = await runGoal(system.astra, goalOf(tasks), async (id) => {
      await awaitTask(system.astra, id, 'nap', 'running');
      await system.astra.goals.cancel(id);
    });
    expect(receipts(goal)).toEqual({ before: null, nap: 'aborted', after: 'not_started' });
    expect((await system.astra.goals.task(goal.id, 'nap')).cancelReceipt).toBe('aborted');
    expect(goal.events.find(({ type }) => type === 'task.cancelled')?.data).toHaveProperty('startedAt');
    const whole = await runGoal(system.astra, goalOf([echo('a', 1)]));
    expect(receipts(whole)).toEqual({ a: null });
  });

  test('tell of what was finished after the cancel, before its worker heard of it', async () => {
    await using temporal = await connectTemporal(system.env);
    const file = newFile();
    // Without the fast lane it is heard of with a heartbeat, a second later.
    const goal = await runGoal(
      system.astra,
      goalOf([undoable('quick', file, {}, { doMs: 600 }), hook()]),
      async (id) => {
        await awaitTask(system.astra, id, 'quick', 'running');
        await awaitTask(system.astra, id, 'hook', 'running');
        await temporal.client.workflow.getHandle(temporal.workflowId(id)).cancel();
      },
    );
    expect(receipts(goal)).toEqual({ quick: 'finished_anyway', hook: 'aborted' });
  });
});

describe('a goal that is cancelled with compensation', () => {
  test('takes back what has completed, the last first, by what was recorded of it', async () => {
    const file = newFile();
    const tasks = [
      undoable('a', file),
      undoable('b', file, { after: ['a'] }, { item: '{{ tasks.a.output.receipt }}' }),
      undoable('c', file, { after: ['a'] }),
      echo('pure', 1, { after: ['a'] }),
      hook('b', 'c', 'pure'),
      undoable('d', file, { after: ['hook'] }),
    ];
    const goal = await runGoal(system.astra, goalOf(tasks), cancelOnceWaiting(true));
    expect(goal.view).toMatchObject({ status: 'cancelled', error: null });
    expect(receipts(goal)).toEqual({
      a: 'compensated',
      b: 'compensated',
      c: 'compensated',
      pure: null,
      hook: 'aborted',
      d: 'not_started',
    });
    const deeds = await undone(file);
    expect([...taskIds(deeds)].sort()).toEqual(['a', 'b', 'c']);
    expect(taskIds(deeds).at(-1)).toBe('a');
    expect(deeds.find(({ effectId }) => effectId.includes('/b/'))).toMatchObject({
      effectId: `${goal.id}/b/1/compensation`,
      input: { file, item: `receipt of ${goal.id}/a/1` },
      output: { receipt: `receipt of ${goal.id}/b/1` },
    });
    expect(goal.task('b').output).toEqual({ receipt: `receipt of ${goal.id}/b/1` });
    expect(goal.typesOf('b').at(-1)).toBe('task.compensated');
    expect(goal.events.find(({ type }) => type === 'goal.cancelling')?.data).toEqual({
      reason: 'enough',
      compensate: true,
    });
    const { items: tools } = await system.astra.tools.list();
    expect(tools.find(({ name }) => name === 'test.undoable')?.compensable).toBe(true);
  });

  test('takes back each completed item of its maps', async () => {
    const file = newFile();
    const each: Task = {
      id: 'each',
      kind: 'map',
      over: 'goal.input.items',
      task: { kind: 'tool', tool: 'test.undoable', input: { file, item: '{{ item }}' } },
    };
    const items = Array.from({ length: 40 }, (_, n) => n);
    const submission = goalOf([each, hook('each')], '{{ tasks.each.output }}', { input: { items } });
    const goal = await runGoal(system.astra, submission, cancelOnceWaiting(true));
    expect(goal.task('each')).toMatchObject({ cancelReceipt: 'compensated', map: { completed: 40, compensated: 40 } });
    const deeds = await undone(file);
    expect(new Set(deeds.map(({ effectId }) => effectId)).size).toBe(40);
    expect(deeds).toHaveLength(40);
    expect(goal.typesOf('each.7').at(-1)).toBe('task.compensated');
    expect(await system.astra.goals.task(goal.id, 'each.7')).toMatchObject({
      status: 'completed',
      output: { receipt: `receipt of ${goal.id}/each.7/1` },
    });
  });

  test('goes on when a compensation fails, and says so at its end', async () => {
    const file = newFile();
    const retry = { maxAttempts: 3, initialIntervalSeconds: 0.1 };
    const tasks = [
      undoable('a', file),
      undoable('b', file, { after: ['a'], retry }, { undoFails: true }),
      undoable('c', file, { after: ['a'] }),
      hook('b', 'c'),
    ];
    const goal = await runGoal(system.astra, goalOf(tasks), cancelOnceWaiting(true));
    expect(receipts(goal)).toEqual({ a: 'compensated', b: null, c: 'compensated', hook: 'aborted' });
    expect(goal.view.status).toBe('cancelled');
    expect(goal.view.error?.code).toBe('ASTRA_COMPENSATION_FAILED');
    expect(goal.view.error?.message).toContain('1 of 3 effects could not be taken back: b.');
    expect(goal.task('b').compensationError).toMatchObject({ code: 'ASTRA_TOOL_FAILED' });
    expect(taskIds(await undone(file)).filter((id) => id === 'b')).toHaveLength(3);
    expect(await system.astra.goals.result(goal.id)).toMatchObject({ status: 'cancelled', error: goal.view.error });
  });

  test('takes back what its sub-goals have done, completed or not', async () => {
    const file = newFile();
    const whole = goalOf([undoable('x', file), undoable('y', file, { after: ['x'] })]);
    const half = goalOf([undoable('z', file), hook('z')]);
    const tasks = [
      undoable('first', file),
      child('whole', whole, { after: ['first'] }),
      child('half', half, { after: ['whole'] }),
    ];
    const goal = await runGoal(system.astra, goalOf(tasks), async (id) => {
      const { childGoalId } = await awaitTask(system.astra, id, 'half', ({ childGoalId: known }) => known !== null);
      await awaitTask(system.astra, childGoalId!, 'hook', 'running');
      await system.astra.goals.cancel(id, { compensate: true });
    });
    expect(taskIds(await undone(file))).toEqual(['z', 'y', 'x', 'first']);
    expect(receipts(goal)).toEqual({ first: 'compensated', whole: 'compensated', half: 'aborted' });
    const completed = goal.task('whole').childGoalId!;
    expect((await system.astra.goals.get(completed)).status).toBe('completed');
    expect(receipts({ graph: await system.astra.goals.graph(completed) })).toEqual({
      x: 'compensated',
      y: 'compensated',
    });
    // Their stream ends also for those who begin after its end.
    const late: string[] = [];
    const end = (await system.astra.goals.get(completed)).seq - 2;
    for await (const { type } of system.astra.goals.events(completed, { fromSeq: end + 1 })) late.push(type);
    expect(late).toEqual(['task.compensated', 'task.compensated']);
    const cancelled = goal.task('half').childGoalId!;
    expect(receipts({ graph: await system.astra.goals.graph(cancelled) })).toEqual({
      z: 'compensated',
      hook: 'aborted',
    });
  });

  test('without compensation it leaves everything as it is', async () => {
    const file = newFile();
    const goal = await runGoal(system.astra, goalOf([undoable('a', file), hook('a')]), cancelOnceWaiting(false));
    expect(receipts(goal)).toEqual({ a: null, hook: 'aborted' });
    expect(await undone(file)).toEqual([]);
  });

  test('stays cancelling until it is done, and a second cancel keeps the first reason', async () => {
    const file = newFile();
    const { id } = await system.astra.goals.submit(goalOf([undoable('a', file, {}, { undoMs: 1_500 }), hook('a')]));
    await awaitTask(system.astra, id, 'hook', 'running');
    await system.astra.goals.cancel(id, { reason: 'first', compensate: true });
    await until(async () => (await undone(file)).length > 0, 'the compensation runs');
    expect((await system.astra.goals.cancel(id, { reason: 'second' })).status).toBe('cancelling');
    const goal = await finishedGoal(system.astra, id);
    expect(goal.events.at(-1)?.data).toEqual({ reason: 'first' });
    expect(receipts(goal)).toEqual({ a: 'compensated', hook: 'aborted' });
  });
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
