import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Astra, JsonObject, ParkedTask } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

const toolModules = join(import.meta.dirname, '../support/e2e/failing-tools.ts');
let system: System;
let astra: Astra;
beforeAll(async () => {
  system = await startSystem({ env: { ASTRA_TOOL_MODULES: toolModules } });
});
afterAll(() => system.stop());

/** A tenant of its own: bulk calls are about all that a tenant has parked. */
const newTenant = async (): Promise<void> => {
  astra = await system.clientFor({ tenant: `t-${randomUUID().slice(0, 8)}` });
};

interface Flaky {
  readonly failures: number;
  readonly code?: 'ASTRA_TOOL_INPUT_INVALID';
  readonly ms?: number;
  readonly log?: string;
}
const retry = { maxAttempts: 2, initialIntervalSeconds: 0.05 } as const;
const call = (input: Flaky | JsonObject, tool = 'test.flaky') =>
  // What is left out is not in the JSON.
  ({ kind: 'tool', tool, input: input as JsonObject, retry }) as const;
const flaky = (id: string, input: Flaky, rest: Partial<Extract<Task, { kind: 'tool' }>> = {}): Task => ({
  id,
  ...call(input),
  onFailure: 'park',
  ...rest,
});
const logFile = (): string => join(tmpdir(), `flaky-${randomUUID()}`);
const linesOf = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).trim().split('\n');

const parkings = (types: readonly string[]): readonly string[] => types.filter((type) => type.endsWith('parked'));

async function listed(
  count: number,
  filters: Parameters<Astra['tasks']['list']>[0] = {},
): Promise<readonly ParkedTask[]> {
  let items: readonly ParkedTask[] = [];
  await until(async () => {
    items = (await astra.tasks.list(filters)).items;
    return items.length === count;
  }, `${count} are parked`);
  return items;
}

describe('a task whose attempts have all failed', () => {
  beforeAll(newTenant);

  test('is parked with its error, and the goal goes on with what does not depend on it', async () => {
    const goal = await runGoal(
      astra,
      goalOf([flaky('a', { failures: 2 }), echo('beside', 1), echo('after', '{{ tasks.a.output.attempt }}')]),
      async (id) => {
        const parked = await awaitTask(astra, id, 'a', 'parked');
        expect(parked).toMatchObject({
          attempt: 2,
          waitingFor: { kind: 'dead_letter', detail: 'ASTRA_TOOL_FAILED', until: null },
          error: { code: 'ASTRA_TOOL_FAILED', message: 'not at attempt 2' },
        });
        await awaitTask(astra, id, 'beside', 'completed');
        expect(await astra.goals.get(id)).toMatchObject({ status: 'running', progress: { waiting: 2, completed: 1 } });
        expect(await listed(1)).toEqual([
          {
            goalId: id,
            taskId: 'a',
            tool: 'test.flaky',
            title: 'a',
            reason: 'failed',
            detail: 'ASTRA_TOOL_FAILED',
            error: parked.error,
            attempt: 2,
            parkedAt: expect.any(String) as string,
          },
        ]);
        expect(await astra.tasks.retry({}, { dryRun: true })).toEqual({
          matched: 1,
          tasks: [{ goalId: id, taskId: 'a' }],
        });
        expect(await listed(1)).toHaveLength(1);
        expect(await astra.tasks.retry()).toEqual({ matched: 1, tasks: [{ goalId: id, taskId: 'a' }] });
      },
    );
    expect(goal.view.status).toBe('completed');
    expect(goal.task('after').output).toBe(3);
    expect(parkings(goal.typesOf('a'))).toEqual(['task.parked', 'task.unparked']);
    expect(await listed(0)).toEqual([]);
  });

  test('gets a fresh set of attempts with the same effect id, and is parked again when they fail', async () => {
    const log = logFile();
    const goal = await runGoal(astra, goalOf([flaky('a', { failures: 4, log })]), async (id) => {
      await awaitTask(astra, id, 'a', 'parked');
      await astra.tasks.retry({ goalIds: [id] });
      await awaitTask(astra, id, 'a', ({ status, attempt }) => status === 'parked' && attempt === 4);
      expect(await listed(1)).toMatchObject([{ attempt: 4, error: { message: 'not at attempt 4' } }]);
      expect(await astra.tasks.retry({ goalIds: [id] })).toMatchObject({ matched: 1 });
    });
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 5, error: null });
    const effectIds = await linesOf(log);
    expect(effectIds).toHaveLength(5);
    expect(new Set(effectIds).size).toBe(1);
    expect(parkings(goal.typesOf('a'))).toEqual(['task.parked', 'task.unparked', 'task.parked', 'task.unparked']);
  });

  test('fails with its error once it is discarded, and so does its goal, which can be retried', async () => {
    const goal = await runGoal(
      astra,
      goalOf([flaky('a', { failures: 2 }), echo('b', '{{ tasks.a.output }}')]),
      async (id) => {
        await awaitTask(astra, id, 'a', 'parked');
        expect(await astra.tasks.discard()).toEqual({ matched: 1, tasks: [{ goalId: id, taskId: 'a' }] });
      },
    );
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED' } });
    expect(goal.task('a')).toMatchObject({
      status: 'failed',
      attempt: 2,
      error: { code: 'ASTRA_TOOL_FAILED', message: 'not at attempt 2' },
    });
    await astra.goals.retry(goal.id, { tasks: 'failed' });
    await awaitTask(astra, goal.id, 'a', 'parked');
    expect(await listed(1)).toMatchObject([{ goalId: goal.id, attempt: 2 }]);
    await astra.goals.cancel(goal.id);
    const cancelled = await finishedGoal(astra, goal.id);
    expect(cancelled.task('a')).toMatchObject({ status: 'cancelled', cancelReceipt: 'aborted' });
    expect(await listed(0)).toEqual([]);
  });

  test('may be a pure one', async () => {
    const goal = await runGoal(
      astra,
      goalOf([code('a', '() => { throw new Error("no") }', null, { onFailure: 'park' })]),
      async (id) => {
        await awaitTask(astra, id, 'a', 'parked');
        await astra.tasks.discard({ goalIds: [id] });
      },
    );
    expect(goal.task('a')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TOOL_FAILED' } });
  });

  test('is refused where there is no call that could be parked', async () => {
    const wait = { id: 'a', kind: 'wait', seconds: 1, onFailure: 'park' } as unknown as Task;
    await expect(astra.goals.submit(goalOf([wait]))).rejects.toMatchObject({
      code: 'ASTRA_PLAN_INVALID',
      faults: [
        { pointer: '/plan/tasks/0/onFailure', message: expect.stringContaining('a tool call or a map') as string },
      ],
    });
  });
});

describe('a bulk call', () => {
  beforeAll(newTenant);

  test('takes what matches all that is given, and takes it once', async () => {
    const submit = async (input: Flaky): Promise<string> => {
      const { id } = await astra.goals.submit(goalOf([flaky('a', input)]));
      await awaitTask(astra, id, 'a', 'parked');
      return id;
    };
    const [first, second] = [await submit({ failures: 9 }), await submit({ failures: 9 })];
    const strange = await submit({ failures: 9, code: 'ASTRA_TOOL_INPUT_INVALID' });
    const ids = async (filters: Parameters<Astra['tasks']['list']>[0]): Promise<readonly string[]> =>
      (await astra.tasks.list(filters)).items.map(({ goalId }) => goalId);
    expect(await ids({})).toEqual([strange, second, first]);
    expect(await ids({ goalId: second })).toEqual([second]);
    expect(await ids({ code: 'ASTRA_TOOL_INPUT_INVALID' })).toEqual([strange]);
    expect(await ids({ reason: 'budget' })).toEqual([]);
    const { items, nextCursor } = await astra.tasks.list({ limit: 2 });
    expect(items.map(({ goalId }) => goalId)).toEqual([strange, second]);
    expect(await ids({ limit: 2, cursor: nextCursor ?? undefined })).toEqual([first]);

    expect(await astra.tasks.discard({ olderThanSeconds: 3_600 })).toEqual({ matched: 0, tasks: [] });
    expect(await astra.tasks.discard({ code: 'ASTRA_TOOL_INPUT_INVALID', goalIds: [first] })).toMatchObject({
      matched: 0,
    });
    expect(await astra.tasks.discard({ code: 'ASTRA_TOOL_INPUT_INVALID' })).toMatchObject({ matched: 1 });
    expect((await finishedGoal(astra, strange)).task('a').error).toMatchObject({ code: 'ASTRA_TOOL_INPUT_INVALID' });

    // The same request, by its key: what has failed meanwhile is not its business.
    const key = { idempotencyKey: randomUUID() };
    expect(await astra.tasks.retry({}, key)).toMatchObject({ matched: 2 });
    for (const id of [first, second]) await awaitTask(astra, id, 'a', ({ attempt }) => attempt === 4);
    await listed(2);
    expect(await astra.tasks.retry({}, key)).toMatchObject({ matched: 0 });
    await expect(astra.tasks.retry({ goalIds: [first] }, key)).rejects.toMatchObject({
      code: 'ASTRA_IDEMPOTENCY_CONFLICT',
    });
    expect(await astra.tasks.discard({ goalIds: [first, second] })).toMatchObject({ matched: 2 });
    for (const id of [first, second]) expect((await finishedGoal(astra, id)).task('a')).toMatchObject({ attempt: 4 });
  });
});

describe('items of a map', () => {
  beforeAll(newTenant);

  const map = (over: string, failures: string, rest: Partial<Extract<Task, { kind: 'map' }>> = {}): Task => ({
    id: 'each',
    kind: 'map',
    over,
    onFailure: 'park',
    task: call({ failures, code: 'ASTRA_TOOL_FAILED' }),
    ...rest,
  });

  test('are parked one by one, and the map goes on with those that are retried', async () => {
    const goal = await runGoal(astra, goalOf([map('[0, 2, 0, 2]', '{{ item }}')]), async (id) => {
      const parked = await listed(2, { goalId: id });
      expect(parked.map(({ taskId }) => taskId).toSorted()).toEqual(['each.1', 'each.3']);
      await awaitTask(astra, id, 'each', ({ map }) => map?.completed === 2);
      await astra.tasks.retry({ goalIds: [id] });
    });
    expect(goal.task('each')).toMatchObject({
      status: 'completed',
      output: [1, 3, 1, 3].map((attempt) => ({ attempt })),
      map: { total: 4, completed: 4, failed: 0 },
    });
  });

  test('that are discarded count as failed', async () => {
    const goal = await runGoal(astra, goalOf([map('[0, 9]', '{{ item }}', { minSuccess: 0.5 })]), async (id) => {
      await listed(1, { goalId: id });
      await astra.tasks.discard({ goalIds: [id] });
    });
    expect(goal.task('each')).toMatchObject({ status: 'completed', map: { completed: 1, failed: 1 } });
  });

  test('wait for nobody once their map’s outcome is certain', async () => {
    const input = { failures: 9, code: '{{ item }}' };
    const tasks: Task[] = [
      map(`['ASTRA_TOOL_FAILED', 'ASTRA_TOOL_INPUT_INVALID']`, '', { task: call(input) }),
      approval('beside'),
    ];
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await listed(2, { goalId: id });
      await astra.tasks.discard({ code: 'ASTRA_TOOL_INPUT_INVALID' });
    });
    expect(goal.view.status).toBe('failed');
    expect(goal.task('each')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_MAP_FAILED' } });
    expect(await listed(0)).toEqual([]);
  });
});

describe('parked failures and what else happens to a goal', () => {
  beforeAll(newTenant);

  test('a new plan replaces one and removes another; a fork begins them anew', async () => {
    const tasks = [flaky('a', { failures: 9 }), flaky('b', { failures: 9 }), echo('c', 1)];
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await listed(2, { goalId: id });
      const fork = await astra.goals.fork(id, {});
      await listed(2, { goalId: fork.id });
      await astra.goals.cancel(fork.id);
      await listed(0, { goalId: fork.id });
      await astra.goals.amendPlan(id, { baseRevision: 1, remove: ['b'], replace: [flaky('a', { failures: 0 })] });
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await listed(0)).toEqual([]);
  });

  test('another task that fails gives it up', async () => {
    const goal = await runGoal(
      astra,
      goalOf([
        flaky('a', { failures: 9 }),
        approval('wait'),
        flaky('late', { failures: 9 }, { after: ['wait'], onFailure: 'fail' }),
      ]),
      async (id) => {
        await awaitTask(astra, id, 'a', 'parked');
        const [question] = (await astra.approvals.list({ goalId: id })).items;
        await astra.approvals.decide(question!.id, { decision: 'approved' });
      },
    );
    expect(goal.view.status).toBe('failed');
    expect(goal.task('a').status).toBe('cancelled');
  });

  test('a sub-goal waits with it, and so does the goal above', async () => {
    const goal = await runGoal(astra, goalOf([child('sub', goalOf([flaky('a', { failures: 2 })]))]), async (id) => {
      const [parked] = await listed(1);
      expect(parked?.goalId).not.toBe(id);
      await astra.tasks.retry();
    });
    expect(goal.view.status).toBe('completed');
  });
});

describe('when the worker dies', () => {
  beforeAll(newTenant);

  test('what is parked stays so, and a retry that it dies in goes on', async () => {
    const log = logFile();
    const goal = await runGoal(
      astra,
      goalOf([flaky('a', { failures: 2, ms: 3_000, log }), flaky('b', { failures: 2 })]),
      async (id) => {
        await listed(2, { goalId: id });
        system.kill('worker');
        expect(await astra.tasks.retry({ goalIds: [id] })).toMatchObject({ matched: 2 });
        await awaitTask(astra, id, 'a', 'running');
        system.kill('worker');
      },
    );
    expect(goal.view.status).toBe('completed');
    expect(goal.task('a').attempt).toBe(4);
    expect(new Set(await linesOf(log)).size).toBe(1);
    expect(goal.events.filter(({ type, taskId }) => type === 'task.completed' && taskId === 'a')).toHaveLength(1);
  });

  test('an effect that it leaves in doubt is parked, and runs again only when people say so', async () => {
    const log = logFile();
    const once: Task = {
      id: 'a',
      kind: 'tool',
      tool: 'test.flaky_once',
      input: { failures: 0, ms: 2_000, log },
      onFailure: 'park',
    };
    const goal = await runGoal(astra, goalOf([once]), async (id) => {
      await awaitTask(astra, id, 'a', 'running');
      system.kill('worker');
      const parked = await awaitTask(astra, id, 'a', 'parked');
      expect(parked).toMatchObject({
        waitingFor: { detail: 'ASTRA_EFFECT_IN_DOUBT' },
        error: { code: 'ASTRA_EFFECT_IN_DOUBT' },
      });
      expect(await linesOf(log)).toHaveLength(1);
      await astra.tasks.retry({ code: 'ASTRA_EFFECT_IN_DOUBT' });
    });
    expect(goal.task('a')).toMatchObject({ status: 'completed' });
    const effectIds = await linesOf(log);
    expect([effectIds.length, new Set(effectIds).size]).toEqual([2, 1]);
  });
});
