import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalEvent, GoalView, TaskView } from '../../sdk/index.ts';
import type { Execution } from '../support/chaos/counting-tools.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, fetching, goalOf, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal } from '../support/e2e/temporal.ts';
import { until } from '../support/until.ts';

let system: System;
let web: ScriptedHttp;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-pause-'));
  web = await startScriptedHttp();
  const tools = join(import.meta.dirname, '../support/chaos/counting-tools.ts');
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1', ASTRA_TOOL_MODULES: tools } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
  await rm(directory, { recursive: true, force: true });
});

let files = 0;
const newFile = (): string => join(directory, `${(files += 1)}.ndjson`);
const counting = (id: string, file: string, milliseconds: number, rest: Partial<Task> = {}): Task =>
  ({ id, kind: 'tool', tool: 'test.count', input: { file, milliseconds }, ...rest }) as Task;
async function executions(file: string): Promise<Execution[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Execution); // the tool wrote it
}
const begun = (file: string, times = 1): Promise<void> =>
  until(async () => (await executions(file)).length >= times, `${times} executions have begun`);

const taskIs = (id: string, taskId: string, wanted: TaskView['status']): Promise<TaskView> =>
  awaitTask(system.astra, id, taskId, wanted);
const goalIs = (id: string, wanted: (goal: GoalView) => boolean, what: string): Promise<void> =>
  until(async () => wanted(await system.astra.goals.get(id)), what);
const has = (type: GoalEvent['type'], { events }: FinishedGoal): number =>
  events.filter((event) => event.type === type).length;

describe('a paused goal', () => {
  test('starts nothing while what runs finishes, says so everywhere, and goes on when it is resumed', async () => {
    const { astra } = system;
    const file = newFile();
    await using temporal = await connectTemporal(system.env);
    const body = goalOf([counting('a', file, 1_500), echo('b', 1, { after: ['a'] }), echo('c', 2, { after: ['b'] })]);
    const goal = await runGoal(astra, body, async (id) => {
      await begun(file);
      const paused = await astra.goals.pause(id, { reason: 'lunch' });
      expect(paused).toMatchObject({
        status: 'paused',
        pause: { by: 'request', running: 'finish', shiftDeadlines: false, reason: 'lunch' },
      });
      expect((await astra.goals.pause(id)).seq).toBe(paused.seq);
      await taskIs(id, 'a', 'completed');
      expect(await taskIs(id, 'b', 'ready')).toMatchObject({ waitingFor: { kind: 'paused', detail: 'lunch' } });
      expect(await taskIs(id, 'c', 'pending')).toMatchObject({ waitingFor: { kind: 'paused' } });
      expect((await astra.goals.list({ status: 'paused' })).items.map((item) => item.id)).toContain(id);
      const query = `AstraStatus = 'paused' AND WorkflowId = '${temporal.workflowId(id)}'`;
      await until(async () => (await temporal.count(query)) === 1, 'Temporal shows the pause');
      const resumed = await astra.goals.resume(id);
      expect(resumed.status).not.toBe('paused');
      expect(resumed.pause).toBeUndefined();
    });
    expect(goal.view).toMatchObject({ status: 'completed' });
    expect([has('goal.paused', goal), has('goal.resumed', goal)]).toEqual([1, 1]);
    expect(await executions(file)).toHaveLength(1);
  });

  test('that has ended, or is another tenant’s, cannot be paused; what is no field of a pause is refused', async () => {
    const { astra } = system;
    const { id } = await runGoal(astra, goalOf([echo('a', 1)]));
    await expect(astra.goals.pause(id)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED', status: 409 });
    await expect(astra.goals.resume(id)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED', status: 409 });
    const other = await system.clientFor({ tenant: 'other' });
    await expect(other.goals.pause(id)).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
    for (const [path, body] of [
      ['pause', { running: 'stop' }],
      ['pause', { hold: true }],
      ['resume', { all: true }],
    ] as const) {
      const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const refused = await system.fetch(`/v1/goals/${id}/${path}`, init);
      expect(await refused.json()).toMatchObject({ code: 'ASTRA_BODY_INVALID' });
    }
  });

  test('takes events and votes, is read and can be cancelled', async () => {
    const { astra } = system;
    const tasks: Task[] = [
      { id: 'hook', kind: 'wait', event: 'paid' },
      approval('ok'),
      echo('after', 1, { after: ['hook', 'ok'] }),
    ];
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await taskIs(id, 'hook', 'running');
      const asked = await awaitApproval(astra, id);
      await astra.goals.pause(id);
      await astra.goals.sendEvent(id, { name: 'paid', data: {} });
      await astra.approvals.decide(asked.id, { decision: 'approved' });
      await taskIs(id, 'hook', 'completed');
      await taskIs(id, 'ok', 'completed');
      expect(await taskIs(id, 'after', 'ready')).toMatchObject({ waitingFor: { kind: 'paused' } });
      await astra.goals.cancel(id, { reason: 'enough' });
    });
    expect(goal.view.status).toBe('cancelled');
    expect(goal.task('after').status).toBe('cancelled');
  });

  test('whose last task ends completes', async () => {
    const file = newFile();
    const goal = await runGoal(system.astra, goalOf([counting('a', file, 1_000)]), async (id) => {
      await begun(file);
      await system.astra.goals.pause(id);
    });
    expect(goal.view.status).toBe('completed');
    expect(has('goal.paused', goal)).toBe(1);
  });

  test('that had not begun begins nothing, its quick tasks included', async () => {
    const { astra } = system;
    await system.stopProcess('worker');
    const { id } = await astra.goals.submit(goalOf([echo('a', 1), echo('b', 2, { after: ['a'] })]));
    await astra.goals.pause(id);
    await system.startProcess('worker');
    await goalIs(id, ({ status }) => status === 'paused', 'the goal is paused');
    expect(await astra.goals.graph(id)).toMatchObject({ tasks: [{ status: 'ready' }, { status: 'pending' }] });
    await astra.goals.resume(id);
    const goal = await finishedGoal(astra, id);
    expect(goal.view.status).toBe('completed');
    const types = goal.events.map(({ type }) => type);
    expect(types.indexOf('goal.resumed')).toBeLessThan(types.indexOf('task.completed'));
  });

  test('holds a chain of pure work after the segment under way', async () => {
    const { astra } = system;
    const busy = '() => { const end = Date.now() + 60; while (Date.now() < end); return 1; }';
    const tasks = Array.from({ length: 60 }, (_, n) =>
      code(`t${n}`, busy, null, n === 0 ? {} : { after: [`t${n - 1}`] }),
    );
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await goalIs(id, ({ progress }) => progress.completed > 0, 'it runs');
      const { progress } = await astra.goals.pause(id);
      expect(progress.completed).toBeLessThan(60);
      await astra.goals.resume(id);
    });
    expect(goal.view).toMatchObject({ status: 'completed', progress: { completed: 60 } });
  });
});

describe('with hold', () => {
  test('a running call is stopped, shown as parked, and begins again with the same effect id', async () => {
    const { astra } = system;
    const file = newFile();
    const goal = await runGoal(astra, goalOf([counting('a', file, 2_500)]), async (id) => {
      await begun(file);
      await astra.goals.pause(id, { running: 'hold' });
      expect(await taskIs(id, 'a', 'parked')).toMatchObject({
        attempt: 1,
        waitingFor: { kind: 'paused', detail: 'the goal is paused', until: null },
      });
      await astra.goals.resume(id);
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 2 });
    const seen = await executions(file);
    expect(seen).toHaveLength(2);
    expect(new Set(seen.map(({ effectId }) => effectId)).size).toBe(1);
    expect(goal.typesOf('a').filter((type) => type !== 'task.started')).toEqual([
      'task.parked',
      'task.unparked',
      'task.completed',
    ]);
  });

  test('a tool that must not run twice finishes', async () => {
    const file = newFile();
    const once = { ...counting('a', file, 1_500), tool: 'test.once' } as Task;
    const goal = await runGoal(system.astra, goalOf([once, echo('b', 1, { after: ['a'] })]), async (id) => {
      await begun(file);
      await system.astra.goals.pause(id, { running: 'hold' });
      await taskIs(id, 'a', 'completed');
      await system.astra.goals.resume(id);
    });
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await executions(file)).toHaveLength(1);
  });

  test('a pause outlives the worker, killed while it holds and again while it is paused', async () => {
    const { astra } = system;
    const file = newFile();
    const tasks = [counting('a', file, 4_000), counting('b', file, 4_000), echo('c', 1, { after: ['a', 'b'] })];
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await begun(file, 2);
      const paused = astra.goals.pause(id, { running: 'hold' });
      system.kill('worker');
      await paused;
      await taskIs(id, 'a', 'parked');
      await taskIs(id, 'b', 'parked');
      system.kill('worker');
      expect((await astra.goals.get(id)).status).toBe('paused');
      await astra.goals.resume(id);
    });
    expect(goal.view).toMatchObject({ status: 'completed', progress: { completed: 3 } });
    expect([has('goal.paused', goal), has('goal.resumed', goal)]).toEqual([1, 1]);
    expect(new Set((await executions(file)).map(({ effectId }) => effectId)).size).toBe(2);
  });
});

describe('deadlines', () => {
  const tasks: Task[] = [
    { id: 'nap', kind: 'wait', seconds: 3 },
    approval('ok', { expiresSeconds: 3, onFailure: 'continue' }),
    echo('after', 1, { after: ['nap'] }),
  ];

  test('are put off by the time that the pause takes, if that is asked for', async () => {
    const { astra } = system;
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      const nap = await taskIs(id, 'nap', 'running');
      const asked = await awaitApproval(astra, id);
      await astra.goals.pause(id, { shiftDeadlines: true });
      const due = Date.parse(asked.expiresAt!);
      await until(() => Date.now() > due + 1_000, 'the time is up');
      expect((await astra.goals.graph(id)).tasks.map(({ status }) => status)).toEqual([
        'running',
        'awaiting_approval',
        'pending',
      ]);
      const { seq } = await astra.goals.resume(id);
      await astra.goals.get(id, { minSeq: seq });
      const again = await awaitApproval(astra, id);
      expect(Date.parse(again.expiresAt!)).toBeGreaterThan(due + 1_000);
      const shifted = await awaitTask(astra, id, 'nap', 'running');
      expect(Date.parse(shifted.waitingFor!.until!)).toBeGreaterThan(Date.parse(nap.waitingFor!.until!) + 1_000);
      await astra.approvals.decide(again.id, { decision: 'approved' });
    });
    expect(goal.view.status).toBe('completed');
    const napped = Date.parse(goal.task('nap').finishedAt!) - Date.parse(goal.task('nap').startedAt!);
    expect(napped).toBeGreaterThan(4_000);
  });

  test('run on otherwise, and nothing starts in consequence', async () => {
    const { astra } = system;
    const goal = await runGoal(astra, goalOf(tasks), async (id) => {
      await taskIs(id, 'nap', 'running');
      await awaitApproval(astra, id);
      await astra.goals.pause(id);
      await taskIs(id, 'nap', 'completed');
      await taskIs(id, 'ok', 'failed');
      expect(await taskIs(id, 'after', 'ready')).toMatchObject({ waitingFor: { kind: 'paused' } });
      await astra.goals.resume(id);
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('ok')).toMatchObject({ error: { code: 'ASTRA_APPROVAL_EXPIRED' } });
  });
});

describe('the tree below', () => {
  test('sub-goals are paused with their parent and resumed with it, not by themselves', async () => {
    const { astra } = system;
    const file = newFile();
    const inner = goalOf([counting('x', file, 1_000), echo('y', 1, { after: ['x'] })]);
    const goal = await runGoal(astra, goalOf([child('child', inner)]), async (id) => {
      await begun(file);
      await astra.goals.pause(id);
      const childId = (await taskIs(id, 'child', 'running')).childGoalId!;
      await goalIs(childId, ({ status }) => status === 'paused', 'the sub-goal is paused');
      expect((await astra.goals.resume(childId)).pause).toMatchObject({ by: 'parent' });
      await taskIs(childId, 'x', 'completed');
      expect(await taskIs(childId, 'y', 'ready')).toMatchObject({ waitingFor: { kind: 'paused' } });
      await astra.goals.resume(id);
    });
    expect(goal.view.status).toBe('completed');
    const inside = await finishedGoal(astra, goal.task('child').childGoalId!);
    expect([has('goal.paused', inside), has('goal.resumed', inside)]).toEqual([1, 1]);
  });

  test('a map starts no item, and held items go on where they were', async () => {
    const { astra } = system;
    const file = newFile();
    const each: Task = {
      id: 'each',
      kind: 'map',
      over: '[1, 2, 3, 4]',
      maxConcurrency: 2,
      task: { kind: 'tool', tool: 'test.count', input: { file, milliseconds: 1_500 } },
    };
    const goal = await runGoal(astra, goalOf([each]), async (id) => {
      await begun(file, 2);
      await astra.goals.pause(id, { running: 'hold' });
      for (const item of ['each.0', 'each.1']) {
        await until(async () => (await astra.goals.task(id, item)).status === 'parked', `${item} is parked`);
      }
      expect(await executions(file)).toHaveLength(2);
      await astra.goals.resume(id);
    });
    expect(goal.task('each')).toMatchObject({ status: 'completed', map: { total: 4, completed: 4, failed: 0 } });
    expect(await executions(file)).toHaveLength(6);
  });
});

describe('by policy', () => {
  test('a goal pauses when too much of it fails', async () => {
    const { astra } = system;
    const each: Task = {
      id: 'each',
      kind: 'map',
      over: 'goal.input.items',
      maxConcurrency: 1,
      minSuccess: 0,
      task: {
        kind: 'tool',
        tool: 'test.count',
        input: { file: '/nonexistent/file', milliseconds: 0 },
        retry: { maxAttempts: 1 },
      },
    };
    const input = { items: Array.from({ length: 20 }, (_, n) => n) };
    const body = goalOf([each], undefined, { input, pauseOn: { failureRate: { over: 0.5, atLeast: 4 } } });
    const goal = await runGoal(astra, body, async (id) => {
      await goalIs(id, ({ status }) => status === 'paused', 'the goal is paused');
      const { pause } = await astra.goals.get(id);
      expect(pause).toMatchObject({ by: 'policy', running: 'finish', reason: '4 of 4 tasks and items failed.' });
      await astra.goals.cancel(id);
    });
    expect(goal.task('each').map?.failed).toBe(4);
  });

  test('a goal pauses when a task would wait for a budget, and goes on when that is raised and it is resumed', async () => {
    const { astra } = system;
    const tasks = [fetching('first', `${web.url}/paid`), fetching('second', `${web.url}/paid`, { after: ['first'] })];
    const body = goalOf(tasks, undefined, { budget: { tasks: 1 }, pauseOn: { budget: true } });
    const goal = await runGoal(astra, body, async (id) => {
      await goalIs(id, ({ status }) => status === 'paused', 'the goal is paused');
      expect((await astra.goals.get(id)).pause).toMatchObject({ by: 'policy', reason: 'a budget is used up' });
      const { id: asked } = await awaitApproval(astra, id);
      await astra.approvals.decide(asked, { decision: 'approved' });
      await astra.goals.resume(id);
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('second').status).toBe('completed');
  });

  test('a goal pauses when what a tool calls is away, before its tasks fail', async () => {
    const { astra } = system;
    const retry = { maxAttempts: 20, initialIntervalSeconds: 0.05, backoffCoefficient: 1 };
    const body = goalOf([fetching('get', `${web.url}/away?fail=5`, { retry })], undefined, {
      pauseOn: { outage: true },
    });
    const goal = await runGoal(astra, body, async (id) => {
      expect(await taskIs(id, 'get', 'parked')).toMatchObject({ waitingFor: { kind: 'paused' } });
      expect((await astra.goals.get(id)).pause).toMatchObject({
        by: 'policy',
        reason: 'The last 5 attempts at http.fetch failed, the last one with ASTRA_TOOL_FAILED.',
      });
      await astra.goals.resume(id);
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('get')).toMatchObject({ status: 'completed', attempt: 6 });
  });
});
