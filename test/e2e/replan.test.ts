import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAstraError, type GoalSubmission } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { dataOf } from '../support/e2e/events-of.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, fetching, goalOf, shell, type Tasks } from '../support/e2e/tasks.ts';

const planners = fileURLToPath(new URL('../support/e2e/planners.ts', import.meta.url));
let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1', ASTRA_PLANNER_MODULES: planners } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const asked = (id: string): number => web.paths.filter((path) => path === `/${id}`).length;
const failing = (id: string, after: string[] = []): Tasks[number] =>
  shell(id, 'exit 3', { after, retry: { maxAttempts: 1 } });
const replanning = (planner: string, rest: Partial<GoalSubmission> = {}): Partial<GoalSubmission> => ({
  onTaskFailure: 'replan',
  planner,
  ...rest,
});
const codeOf = (error: unknown): string => (isAstraError(error) ? error.code : String(error));
const refusal = (call: Promise<unknown>): Promise<string> => call.then(() => 'none', codeOf);
/** Runs until the test lets it. */
const held = (id: string): Tasks[number] => approval(id, { prompt: 'Hold.' });
const letGo = async (goalId: string, taskId: string): Promise<void> => {
  const { items } = await system.astra.approvals.list({ goalId, status: 'pending' });
  const pending = items.find((each) => each.taskId === taskId);
  await system.astra.approvals.decide(pending?.id ?? '', { decision: 'approved' });
};

describe('a goal that replans', () => {
  test('goes on by the plan that a planner in code has mended', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('first', `${web.url}/first`),
          failing('second', ['first']),
          echo('third', '{{ tasks.second.output }}'),
        ],
        '{{ tasks.third.output }}',
        replanning('mender'),
      ),
    );
    expect(goal.view).toMatchObject({
      status: 'completed',
      plan: { revision: 2 },
      replans: { used: 1, limit: 3 },
      output: { objective: 'test', code: 'ASTRA_TOOL_FAILED', attempt: 1, limit: 3, refusal: null },
    });
    expect(goal.view.output).toMatchObject({ done: [{ id: 'first', output: { status: 200 } }] });
    expect(asked('first')).toBe(1);
    expect(dataOf(goal.events, 'plan.amended')).toMatchObject([
      {
        by: 'planner:mender',
        failedTask: 'second',
        replaced: ['second'],
        reason: expect.stringMatching(/second failed/) as string,
      },
    ]);
    const before = await system.astra.goals.plan(goal.id, { revision: 1 });
    expect(before.plan.tasks[1]).toMatchObject({ tool: 'shell.run' });
  });

  test('lets what runs go on meanwhile, waits included, and mends one failure after the other', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [failing('one'), failing('two'), fetching('slow', `${web.url}/slow?delay=1500`), held('gate'), echo('last', 1)],
        '{{ [tasks.one.output.attempt, tasks.two.output.attempt, tasks.slow.output.status] }}',
        replanning('mender', { input: { plannerMs: 300 } }),
      ),
      async (id) => {
        await awaitTask(system.astra, id, 'two', 'completed');
        await awaitTask(system.astra, id, 'one', 'completed');
        await awaitTask(system.astra, id, 'gate', 'awaiting_approval');
        await letGo(id, 'gate');
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', replans: { used: 2 }, plan: { revision: 3 } });
    expect([...(goal.view.output as number[])].sort()).toEqual([1, 2, 200]);
    expect(asked('slow')).toBe(1);
    expect(goal.typesOf('gate')).toEqual(['approval.requested', 'approval.decided', 'task.completed']);
  });

  test('fails with the task’s error once it has replanned as often as it may', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([failing('a'), echo('b', 1, { after: ['a'] })], null, replanning('stubborn', { maxReplans: 2 })),
    );
    expect(goal.view).toMatchObject({ status: 'failed', replans: { used: 2, limit: 2 }, plan: { revision: 3 } });
    expect(goal.view.error).toMatchObject({
      code: 'ASTRA_TASK_FAILED',
      message: expect.stringMatching(/^Task "a" failed with ASTRA_TOOL_FAILED: .*\(2 replans were tried\)$/s) as string,
    });
    expect(goal.task('b').status).toBe('skipped');

    // Tried again it has as many replans as before, and other numbers for them.
    await system.astra.goals.retry(goal.id, { tasks: 'failed' });
    const again = await finishedGoal(system.astra, goal.id);
    expect(again.view).toMatchObject({
      status: 'failed',
      run: 2,
      replans: { used: 2, limit: 2 },
      plan: { revision: 6 },
    });
  });

  test('takes no rubbish: what is no change counts as a try, and the planner is told why', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([failing('a')], '{{ tasks.a.output }}', replanning('rubbish', { maxReplans: 4 })),
    );
    expect(goal.view).toMatchObject({
      status: 'completed',
      replans: { used: 4, limit: 4 },
      output: { refusal: expect.stringMatching(/leaves "a" as it is/) as string },
    });
    expect(dataOf(goal.events, 'plan.rejected')).toMatchObject([
      { by: 'planner:rubbish', failedTask: 'a', error: { code: 'ASTRA_PLAN_INVALID' } },
      { error: { code: 'ASTRA_PLAN_INVALID', message: expect.stringMatching(/no task "nobody"/) as string } },
      { error: { code: 'ASTRA_PLAN_INVALID' } },
    ]);
    expect(dataOf(goal.events, 'plan.amended')).toHaveLength(1);
  });

  test('outlives planners that throw and that never answer', async () => {
    const goal = await runGoal(system.astra, goalOf([failing('a')], null, replanning('broken', { maxReplans: 2 })));
    expect(goal.view.error?.message).toMatch(/\(2 replans were tried; of the last: .* did not answer within 1 s\)$/);
    expect(dataOf(goal.events, 'plan.rejected').map(({ error }) => error?.message)).toEqual([
      'The planner broken failed: out of ideas',
      'The planner broken did not answer within 1 s',
    ]);
  });

  test('fails at once when its planner sees nothing to be done', async () => {
    const broken = code('a', '() => { throw new Error("no") }', null, { retry: { maxAttempts: 1 } });
    const { view } = await runGoal(system.astra, goalOf([broken], null, replanning('idle')));
    expect(view).toMatchObject({ status: 'failed', replans: { used: 1, limit: 3 } });
    expect(view.error?.message).toMatch(/\(1 replan was tried; of the last: The planner sees nothing to be done\.\)$/);
  });

  test('says before it runs that it has no such planner', async () => {
    const { goals } = system.astra;
    const { view } = await runGoal(system.astra, goalOf([echo('a', 1)], null, replanning('nobody')));
    expect(view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_REPLAN_FAILED' } });
    const bodies: Partial<GoalSubmission>[] = [
      { planner: 'mender' },
      { maxReplans: 2 },
      { onTaskFailure: 'replan' },
      replanning('mender', { maxReplans: 11 }),
    ];
    for (const rest of bodies) {
      expect(await refusal(goals.submit(goalOf([echo('a', 1)], null, rest)))).toBe('ASTRA_BODY_INVALID');
    }
  });

  test('goes by the change that somebody else makes while its planner thinks', async () => {
    const { goals } = system.astra;
    const goal = await runGoal(
      system.astra,
      goalOf([failing('a')], '{{ tasks.a.output }}', replanning('mender', { input: { plannerMs: 50_000 } })),
      async (id) => {
        await awaitTask(system.astra, id, 'a', 'failed');
        await goals.amendPlan(id, { baseRevision: 1, replace: [echo('a', 'by hand')] });
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 'by hand', plan: { revision: 2 } });
    expect(dataOf(goal.events, 'plan.rejected')).toEqual([]);
  });

  test('may be a sub-goal', async () => {
    const inner = goalOf([failing('deep')], '{{ tasks.deep.output.attempt }}', replanning('mender'));
    const { view } = await runGoal(system.astra, goalOf([child('sub', inner)], '{{ tasks.sub.output }}'));
    expect(view).toMatchObject({ status: 'completed', output: 1 });
    expect(view.replans).toBeUndefined();
  });

  test('loses nothing and repeats no effect when its worker is killed meanwhile', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('paid', `${web.url}/paid`),
          failing('a', ['paid']),
          fetching('then', `${web.url}/then`, { after: ['a'] }),
        ],
        '{{ tasks.a.output.attempt }}',
        replanning('mender', { input: { plannerMs: 700 } }),
      ),
      async (id) => {
        await awaitTask(system.astra, id, 'a', 'failed');
        system.kill('worker');
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 1, replans: { used: 1 }, plan: { revision: 2 } });
    expect(dataOf(goal.events, 'plan.amended')).toHaveLength(1);
    expect([asked('paid'), asked('then')]).toEqual([1, 1]);
  });
});

describe('a template with a fallback plan', () => {
  const body = {
    description: '',
    params: { type: 'object', properties: { word: { type: 'string' } } },
    objective: 'Say it.',
    plan: {
      tasks: [echo('kept', '{{ params.word }}'), failing('fancy', ['kept']), echo('end', '{{ tasks.fancy.output }}')],
      output: '{{ tasks.end.output }}',
    },
  };
  const fallbackPlan = {
    tasks: [echo('plain', '{{ tasks.kept.output }}', { after: [] }), echo('end', '{{ tasks.plain.output }}!')],
    output: '{{ tasks.end.output }}',
  };
  const goal = { template: { name: 'falls-back', params: { word: 'hello' } }, onTaskFailure: 'replan' } as const;

  test('has it take over what has not finished', async () => {
    const { templates } = system.astra;
    await templates.put({ name: 'falls-back', ...body });
    expect(await refusal(system.astra.goals.submit(goal))).toBe('ASTRA_TEMPLATE_INVALID');
    const kept = body.plan.tasks[0]!;
    await templates.put({
      name: 'falls-back',
      ...body,
      fallbackPlan: { ...fallbackPlan, tasks: [kept, ...fallbackPlan.tasks] },
    });
    const { view, events, graph } = await runGoal(system.astra, goal);
    expect(view).toMatchObject({ status: 'completed', output: 'hello!', replans: { used: 1 } });
    expect(graph.tasks.map(({ id }) => id)).toEqual(['kept', 'plain', 'end']);
    expect(dataOf(events, 'plan.amended')).toMatchObject([
      { by: 'planner:fallback', added: ['plain'], removed: ['fancy'], replaced: ['end'] },
    ]);
  });

  test('fails when the fallback fails too, and refuses one that would change what has finished', async () => {
    const { templates } = system.astra;
    const fails = { tasks: [failing('plain')] };
    await templates.put({ name: 'falls-back', ...body, fallbackPlan: fails });
    const failed = await runGoal(system.astra, goal);
    expect(failed.view).toMatchObject({ status: 'failed', replans: { used: 2 }, plan: { revision: 2 } });
    expect(failed.graph.tasks.map(({ id }) => id)).toEqual(['kept', 'plain']);

    await templates.put({ name: 'falls-back', ...body, fallbackPlan: { tasks: [echo('kept', 'something else')] } });
    const refused = await runGoal(system.astra, { ...goal, maxReplans: 1 });
    expect(dataOf(refused.events, 'plan.rejected')).toMatchObject([{ error: { code: 'ASTRA_PLAN_CONFLICT' } }]);
    expect(refused.view.error?.message).toMatch(/Task "fancy" failed/);
    const wrong = { tasks: [{ id: 'x', kind: 'tool', tool: 'no.such' } as const] };
    expect(await refusal(templates.put({ name: 'falls-back', ...body, fallbackPlan: wrong }))).toBe(
      'ASTRA_PLAN_INVALID',
    );
  });
});
