import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAstraError, type GoalEvent } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, echo, fetching, goalOf, shell } from '../support/e2e/tasks.ts';

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

/** Fails once, for good. */
const brokenOnce = (id: string, after: string[] = []) =>
  fetching(id, `${web.url}/${id}?fail=1`, {
    after,
    retry: { maxAttempts: 1 },
    // A method that says its effect id.
    input: { url: `${web.url}/${id}?fail=1`, method: 'POST' },
  });
const asked = (id: string): number => web.paths.filter((path) => path === `/${id}`).length;
const codeOf = (error: unknown): string => (isAstraError(error) ? error.code : String(error));
const refusal = (call: Promise<unknown>): Promise<string> => call.then(() => 'none', codeOf);

describe('a goal that is tried again', () => {
  test('runs what failed and what follows it, and reuses the rest', async () => {
    const { goals } = system.astra;
    const before = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('first', `${web.url}/first`),
          brokenOnce('second', ['first']),
          echo('third', '{{ tasks.second.output.body.path }}', { after: ['second'] }),
        ],
        '{{ tasks.third.output }}',
      ),
    );
    expect(before.view).toMatchObject({ status: 'failed', run: 1 });

    const preview = await goals.previewRetry(before.id, { tasks: 'failed' });
    expect(preview).toMatchObject({ willRun: ['second', 'third'], reused: ['first'] });
    expect(preview.estimate.usd).toBe('0');
    expect(await goals.get(before.id)).toEqual(before.view);

    const key = { idempotencyKey: `retry-${before.id}` };
    expect(await goals.retry(before.id, { tasks: 'failed' }, key)).toMatchObject({ run: 2, error: null });
    const again = await finishedGoal(system.astra, before.id);
    expect(again.view).toMatchObject({ status: 'completed', run: 2, output: '/second', plan: { revision: 2 } });
    expect([asked('first'), asked('second')]).toEqual([1, 2]);
    // A new run is a new effect.
    expect(web.effectIds.filter((id) => id.startsWith(`${before.id}/second/`))).toEqual([
      `${before.id}/second/1`,
      `${before.id}/second/2`,
    ]);

    // The request repeated does nothing again.
    expect(await goals.retry(before.id, { tasks: 'failed' }, key)).toMatchObject({ run: 2, status: 'completed' });
    expect((await goals.get(before.id)).seq).toBe(again.view.seq);
  });

  test('runs chosen tasks with other inputs, though all had completed', async () => {
    const { goals } = system.astra;
    const { id, view } = await runGoal(
      system.astra,
      goalOf(
        [echo('one', 1), echo('two', '{{ tasks.one.output + 1 }}'), echo('other', 'kept')],
        '{{ [tasks.two.output, tasks.other.output] }}',
      ),
    );
    expect(view.output).toEqual([2, 'kept']);
    const inputs = { one: { code: '(value) => value', input: 40 } };
    expect(await goals.previewRetry(id, { tasks: ['two'], inputs })).toMatchObject({
      willRun: ['one', 'two'],
      reused: ['other'],
    });
    await goals.retry(id, { tasks: ['two'], inputs });
    const again = await finishedGoal(system.astra, id);
    expect(again.view).toMatchObject({ status: 'completed', output: [41, 'kept'] });
    expect((await goals.plan(id)).plan.tasks[0]).toMatchObject({ input: inputs.one });
    expect((await goals.plan(id, { revision: 1 })).plan.tasks[0]).toMatchObject({ input: { input: 1 } });
    expect(again.typesOf('other')).toEqual(['task.completed']);
  });

  test('goes on with its sub-goals', async () => {
    const inner = goalOf(
      [fetching('kept', `${web.url}/kept`), brokenOnce('broken', ['kept'])],
      '{{ tasks.broken.output.status }}',
    );
    const { id, view, task } = await runGoal(system.astra, goalOf([child('sub', inner)], '{{ tasks.sub.output }}'));
    expect(view.status).toBe('failed');
    await system.astra.goals.retry(id, { tasks: 'failed' });
    const again = await finishedGoal(system.astra, id);
    expect(again.view).toMatchObject({ status: 'completed', output: 200 });
    expect(again.task('sub').childGoalId).toBe(task('sub').childGoalId);
    expect([asked('kept'), asked('broken')]).toEqual([1, 2]);
    expect(await system.astra.goals.get(task('sub').childGoalId ?? '')).toMatchObject({ run: 2, status: 'completed' });
  });

  test('is refused while it runs, and for tasks that it does not have', async () => {
    const { goals } = system.astra;
    const running = await goals.submit(goalOf([approval('ok')]));
    await awaitTask(system.astra, running.id, 'ok', 'awaiting_approval');
    expect(await refusal(goals.retry(running.id, { tasks: 'failed' }))).toBe('ASTRA_GOAL_RUNNING');
    await goals.cancel(running.id);
    const { id } = await finishedGoal(system.astra, running.id);
    expect(await refusal(goals.retry(id, { tasks: ['nobody'] }))).toBe('ASTRA_PLAN_INVALID');
    // What was cancelled is asked anew.
    await goals.retry(id, { tasks: 'failed' });
    await awaitTask(system.astra, id, 'ok', 'awaiting_approval');
    const [pending] = (await system.astra.approvals.list({ goalId: id, status: 'pending' })).items;
    await system.astra.approvals.decide(pending?.id ?? '', { decision: 'approved' });
    expect((await finishedGoal(system.astra, id)).view.status).toBe('completed');
  });

  test('outlives its worker', async () => {
    const { goals } = system.astra;
    const { id } = await runGoal(
      system.astra,
      goalOf([
        fetching('a', `${web.url}/outlive-a`),
        brokenOnce('outlive', ['a']),
        shell('slow', 'sleep 1', { after: ['outlive'] }),
      ]),
    );
    await goals.retry(id, { tasks: 'failed' });
    system.kill('worker');
    const again = await finishedGoal(system.astra, id);
    expect(again.view).toMatchObject({ status: 'completed', run: 2 });
    expect(again.events.filter(({ type }) => type === 'goal.retried')).toHaveLength(1);
    expect(asked('outlive-a')).toBe(1);
  });
});

describe('a fork', () => {
  test('begins with what the goal has finished, sub-goals included, and leaves it as it was', async () => {
    const { goals } = system.astra;
    const inner = goalOf(
      [fetching('deep', `${web.url}/deep`), brokenOnce('deep-broken', ['deep'])],
      '{{ tasks["deep-broken"].output.status }}',
    );
    const source = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('root', `${web.url}/root`),
          child('sub', inner, { after: ['root'] }),
          echo('end', '{{ tasks.sub.output }}'),
        ],
        '{{ [tasks.root.output.body.path, tasks.end.output] }}',
      ),
    );
    expect(source.view.status).toBe('failed');
    expect(await goals.previewFork(source.id)).toMatchObject({ willRun: ['sub', 'end'], reused: ['root'] });
    const key = { idempotencyKey: 'again' };
    const { id } = await goals.fork(source.id, {}, key);
    const fork = await finishedGoal(system.astra, id);
    expect(fork.view).toMatchObject({
      status: 'completed',
      output: ['/root', 200],
      forkedFrom: { goalId: source.id, seq: source.view.seq },
    });
    expect([asked('root'), asked('deep'), asked('deep-broken')]).toEqual([1, 1, 2]);
    expect(await goals.get(source.id)).toEqual(source.view);
    expect((await goals.fork(source.id, {}, key)).id).toBe(id);

    const plan = {
      tasks: [fetching('root', `${web.url}/root`), echo('other', 'new', { after: ['root'] })],
      output: '{{ tasks.other.output }}',
    };
    const other = await finishedGoal(system.astra, (await goals.fork(source.id, { plan })).id);
    expect(other.view).toMatchObject({ status: 'completed', output: 'new' });
    expect(asked('root')).toBe(1);
  });
});

describe('the plan of a running goal', () => {
  const amended = (events: readonly GoalEvent[]) =>
    events.flatMap((event) => (event.type === 'plan.amended' ? [event.data] : []));

  test('changes: finished tasks stay, removed ones are cancelled, added ones run', async () => {
    const { goals } = system.astra;
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('done', `${web.url}/done`),
          shell('long', 'sleep 60', { after: ['done'] }),
          approval('gate', { after: ['done'] }),
          echo('end', 'old', { after: ['gate'] }),
        ],
        '{{ tasks.end.output }}',
      ),
      async (id) => {
        await awaitTask(system.astra, id, 'long', 'running');
        await awaitTask(system.astra, id, 'gate', 'awaiting_approval');
        const change = {
          baseRevision: 1,
          remove: ['long'],
          replace: [echo('end', '{{ tasks.extra.output.body.path }}', { after: ['gate'] })],
          add: [fetching('extra', `${web.url}/extra`, { after: ['done'] })],
          reason: 'faster',
        };
        const preview = await goals.previewAmendment(id, change);
        expect(preview.diff).toEqual({
          added: ['extra'],
          removed: ['long'],
          replaced: ['end'],
          kept: ['done', 'gate'],
        });
        expect(await goals.amendPlan(id, change)).toMatchObject({ plan: { revision: 2, taskCount: 4 } });
        expect(await refusal(goals.amendPlan(id, change))).toBe('ASTRA_PLAN_CONFLICT');
        await awaitTask(system.astra, id, 'extra', 'completed');
        const touchesDone = { baseRevision: 2, replace: [echo('done', 1)] };
        expect(await refusal(goals.previewAmendment(id, touchesDone))).toBe('ASTRA_PLAN_CONFLICT');
        expect(await refusal(goals.amendPlan(id, touchesDone))).toBe('ASTRA_PLAN_CONFLICT');
        const unknownTool = { baseRevision: 2, add: [{ id: 'x', kind: 'tool', tool: 'no.such' } as const] };
        expect(await refusal(goals.amendPlan(id, unknownTool))).toBe('ASTRA_PLAN_INVALID');
        const [pending] = (await system.astra.approvals.list({ goalId: id, status: 'pending' })).items;
        await system.astra.approvals.decide(pending?.id ?? '', { decision: 'approved' });
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: '/extra', plan: { revision: 2 } });
    expect(goal.graph.tasks.map(({ id }) => id)).toEqual(['done', 'gate', 'end', 'extra']);
    expect(asked('done')).toBe(1);
    expect(amended(goal.events)).toMatchObject([{ reason: 'faster', by: 'tester', removed: ['long'] }]);
  });

  test('changes under a worker that dies', async () => {
    const { goals } = system.astra;
    const goal = await runGoal(
      system.astra,
      goalOf(
        [fetching('before', `${web.url}/before`), approval('hold', { after: ['before'] })],
        '{{ tasks.hold.output }}',
      ),
      async (id) => {
        await awaitTask(system.astra, id, 'hold', 'awaiting_approval');
        const change = { baseRevision: 1, remove: ['hold'], plan: undefined, add: [] };
        const whole = {
          baseRevision: 1,
          plan: {
            tasks: [fetching('before', `${web.url}/before`), echo('after', 1)],
            output: '{{ tasks.after.output }}',
          },
        };
        // The output refers to the task that would be gone.
        expect(await refusal(goals.amendPlan(id, change))).toBe('ASTRA_PLAN_INVALID');
        const request = goals.amendPlan(id, whole, { idempotencyKey: id });
        system.kill('worker');
        await request;
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 1, plan: { revision: 2 } });
    expect(amended(goal.events)).toHaveLength(1);
    expect(asked('before')).toBe(1);
  });
});
