import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { processesWith } from '../support/e2e/host-processes.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, fetching, goalOf, shell, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal } from '../support/e2e/temporal.ts';
import { until } from '../support/until.ts';

let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const hook: Task = { id: 'hook', kind: 'wait', event: 'never.comes' };
const statuses = ({ graph }: FinishedGoal): Record<string, string> =>
  Object.fromEntries(graph.tasks.map(({ id, status }) => [id, status]));
const cancel = (goalId: string, reason?: string) => system.astra.goals.cancel(goalId, { reason });

/** How long after the cancellation was recorded the goal had ended. */
function secondsToEnd({ events, view }: FinishedGoal): number {
  const asked = events.find(({ type }) => type === 'goal.cancelling');
  return (Date.parse(view.finishedAt!) - Date.parse(asked!.at)) / 1000;
}

describe('a cancelled goal', () => {
  test('kills a sleeping command with all its processes', async () => {
    const nap = `300.${Date.now()}`;
    const command = `sh -c 'sleep ${nap} & setsid sleep ${nap} & sleep ${nap}'; sleep ${nap}`;
    const goal = await runGoal(
      system.astra,
      goalOf([
        echo('before', 1),
        shell('sleep', command, { after: ['before'] }),
        echo('after', 1, { after: ['sleep'] }),
      ]),
      async (id) => {
        await until(async () => (await processesWith(`sleep ${nap}`)).length >= 3, 'the command sleeps');
        const view = await cancel(id, 'changed our minds');
        expect(['cancelling', 'cancelled']).toContain(view.status);
      },
    );
    expect(goal.view).toMatchObject({ status: 'cancelled', output: null });
    expect(statuses(goal)).toEqual({ before: 'completed', sleep: 'cancelled', after: 'cancelled' });
    expect(await processesWith(nap)).toEqual([]);
    expect(goal.events.find(({ type }) => type === 'goal.cancelling')?.data).toEqual({ reason: 'changed our minds' });
    expect(goal.events.at(-1)?.data).toEqual({ reason: 'changed our minds' });
    expect(secondsToEnd(goal)).toBeLessThan(10);
  });

  test('begins no further item of a map of effects', async () => {
    const items = Array.from({ length: 60 }, (_, n) => n);
    const each: Task = {
      id: 'each',
      kind: 'map',
      over: 'goal.input.items',
      maxConcurrency: 4,
      task: { kind: 'tool', tool: 'http.fetch', input: { url: `${web.url}/each/{{ item }}?delay=150` } },
    };
    const asked = (): number => web.paths.filter((path) => path.startsWith('/each/')).length;
    const goal = await runGoal(system.astra, goalOf([each], null, { input: { items } }), async (id) => {
      await awaitTask(system.astra, id, 'each', ({ map }) => (map?.completed ?? 0) >= 4);
      await cancel(id);
    });
    expect(goal.view.status).toBe('cancelled');
    const begun = asked();
    expect(begun).toBeLessThan(60);
    const { status, map } = goal.task('each');
    expect(status).toBe('cancelled');
    expect(map?.completed).toBeGreaterThanOrEqual(4);
    expect(map?.completed).toBeLessThanOrEqual(begun);
    expect(asked(), 'nothing was begun after the end').toBe(begun);
  });

  const busy = '() => { const end = Date.now() + 30; while (Date.now() < end); return 1; }';

  test('begins no further segment of an inline map', async () => {
    const each: Task = {
      id: 'each',
      kind: 'map',
      over: 'goal.input.items',
      task: { kind: 'tool', tool: 'code.javascript', input: { code: busy } },
    };
    const items = Array.from({ length: 600 }, (_, n) => n);
    const goal = await runGoal(system.astra, goalOf([each], null, { input: { items } }), async (id) => {
      await awaitTask(system.astra, id, 'each', ({ map }) => (map?.completed ?? 0) > 0);
      await cancel(id);
    });
    expect(goal.view.status).toBe('cancelled');
    expect(goal.task('each').status).toBe('cancelled');
    // Some 30 a segment, which lasts half a second.
    expect(goal.task('each').map?.completed).toBeLessThan(300);
  });

  test('begins no further segment of a chain of inline tasks', async () => {
    const chain = Array.from({ length: 300 }, (_, n) =>
      code(`t${n}`, busy, null, n === 0 ? {} : { after: [`t${n - 1}`] }),
    );
    const goal = await runGoal(system.astra, goalOf(chain), async (id) => {
      await awaitTask(system.astra, id, 't0', 'completed');
      await cancel(id);
    });
    expect(goal.view.status).toBe('cancelled');
    expect(goal.view.progress.completed).toBeLessThan(150);
    expect(goal.task('t299').status).toBe('cancelled');
  });

  test('closes its approvals and gives up its waits', async () => {
    let approvalId = '';
    const tasks = [approval('ok'), hook, { id: 'nap', kind: 'wait', seconds: 3_600 } as const];
    const goal = await runGoal(system.astra, goalOf(tasks), async (id) => {
      approvalId = (await awaitApproval(system.astra, id)).id;
      await awaitTask(system.astra, id, 'nap', 'running');
      await cancel(id);
    });
    expect(goal.view.status).toBe('cancelled');
    expect(statuses(goal)).toEqual({ ok: 'cancelled', hook: 'cancelled', nap: 'cancelled' });
    expect((await system.astra.approvals.get(approvalId)).status).toBe('cancelled');
    await expect(system.astra.approvals.decide(approvalId, { decision: 'approved' })).rejects.toMatchObject({
      code: 'ASTRA_APPROVAL_DECIDED',
    });
  });

  test('cancels its sub-goals, and theirs', async () => {
    const nap = `300.${Date.now()}`;
    const leaf = goalOf([shell('sleep', `sleep ${nap}`), hook]);
    const top = await runGoal(system.astra, goalOf([child('middle', goalOf([child('leaf', leaf)]))]), async (id) => {
      await until(async () => (await processesWith(`sleep ${nap}`)).length > 0, 'the command of the leaf sleeps');
      await cancel(id);
    });
    expect(top.view.status).toBe('cancelled');
    const middle = await finishedGoal(system.astra, top.task('middle').childGoalId!);
    const bottom = await finishedGoal(system.astra, middle.task('leaf').childGoalId!);
    for (const goal of [middle, bottom]) expect(goal.view.status).toBe('cancelled');
    expect(statuses(bottom)).toEqual({ sleep: 'cancelled', hook: 'cancelled' });
    expect(await processesWith(nap)).toEqual([]);
  });

  test('that is a sub-goal fails the task of its parent', async () => {
    const parent = await runGoal(system.astra, goalOf([child('child', goalOf([hook]))]), async (id) => {
      const { childGoalId } = await awaitTask(system.astra, id, 'child', ({ childGoalId: known }) => known !== null);
      await awaitTask(system.astra, childGoalId!, 'hook', 'running');
      await cancel(childGoalId!);
    });
    expect(parent.view.status).toBe('failed');
    expect(parent.task('child')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_SUBGOAL_FAILED' } });
  });

  test('does not try again what it waits to try again', async () => {
    const retry = { maxAttempts: 5, initialIntervalSeconds: 60, maxIntervalSeconds: 60 };
    const goal = await runGoal(
      system.astra,
      goalOf([fetching('flaky', `${web.url}/f?fail=9`, { retry })]),
      async (id) => {
        await awaitTask(system.astra, id, 'flaky', 'retrying');
        await cancel(id);
      },
    );
    expect(goal.view.status).toBe('cancelled');
    expect(statuses(goal)).toEqual({ flaky: 'cancelled' });
    expect(web.paths.filter((path) => path === '/f')).toHaveLength(1);
    expect(secondsToEnd(goal)).toBeLessThan(10);
  });

  test('whose plan nobody approved yet runs no task', async () => {
    const submission = goalOf([echo('a', 1)], null, { approval: { plan: 'required' } });
    let approvalId = '';
    const goal = await runGoal(system.astra, submission, async (id) => {
      approvalId = (await awaitApproval(system.astra, id)).id;
      await cancel(id);
    });
    expect(goal.view.status).toBe('cancelled');
    expect(goal.task('a')).toMatchObject({ status: 'cancelled', startedAt: null });
    expect((await system.astra.approvals.get(approvalId)).status).toBe('cancelled');
  });

  test('ends even if it was cancelled before any worker saw it', async () => {
    await system.stopProcess('worker');
    const { id } = await system.astra.goals.submit(goalOf([echo('a', 1)]));
    const view = await cancel(id, 'too early');
    expect(view.status).toBe('accepted');
    await system.startProcess('worker');
    const goal = await finishedGoal(system.astra, id);
    expect(goal.view.status).toBe('cancelled');
    expect(goal.typesOf('a')).not.toContain('task.completed');
    expect(goal.events.at(-1)?.data).toEqual({ reason: 'too early' });
  });

  test('may be cancelled again, until it has ended', async () => {
    const { id } = await system.astra.goals.submit(goalOf([hook]));
    await awaitTask(system.astra, id, 'hook', 'running');
    await cancel(id);
    await finishedGoal(system.astra, id);
    await expect(cancel(id)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED', status: 409 });
    const stranger = await system.clientFor({ tenant: 'another' });
    await expect(stranger.goals.cancel(id)).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND', status: 404 });
  });
});

test('a completed goal cannot be cancelled any more', async () => {
  const goal = await runGoal(system.astra, goalOf([echo('a', 1)]));
  await expect(cancel(goal.id)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED', status: 409 });
  expect((await system.astra.goals.get(goal.id)).status).toBe('completed');
});

test('an operator may cancel a goal through Temporal', async () => {
  await using temporal = await connectTemporal(system.env);
  const nap = `300.${Date.now()}`;
  const tasks = [shell('sleep', `sleep ${nap}`), hook, approval('ok'), child('child', goalOf([hook]))];
  const goal = await runGoal(system.astra, goalOf(tasks), async (id) => {
    await until(async () => (await processesWith(`sleep ${nap}`)).length > 0, 'the command sleeps');
    await awaitTask(system.astra, id, 'child', 'running');
    await awaitTask(system.astra, id, 'ok', 'awaiting_approval');
    await temporal.client.workflow.getHandle(temporal.workflowId(id)).cancel();
  });
  expect(goal.view.status).toBe('cancelled');
  expect(statuses(goal)).toEqual({ sleep: 'cancelled', hook: 'cancelled', ok: 'cancelled', child: 'cancelled' });
  expect(await processesWith(nap)).toEqual([]);
  const own = await finishedGoal(system.astra, goal.task('child').childGoalId!);
  expect(own.view.status).toBe('cancelled');
  const handle = temporal.client.workflow.getHandle(temporal.workflowId(goal.id));
  await until(async () => (await handle.describe()).status.name !== 'RUNNING', 'the execution has ended');
  expect((await handle.describe()).status.name).toBe('CANCELLED');
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
