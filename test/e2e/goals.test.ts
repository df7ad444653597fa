import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalSubmission } from '../../sdk/index.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, code, echo, fetching, goalOf, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal } from '../support/e2e/temporal.ts';

let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  // Two workers: what one of them recorded, the other must know.
  system = await startSystem({ workers: [{}, {}], env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);

describe('tool tasks', () => {
  test('that are inline run in order in one segment and have no event but their end', async () => {
    const add = (id: string, ids: string): Task =>
      code(id, '(all) => all.reduce((a, b) => a + b) + 1', `{{ [${ids}] }}`);
    const tasks = [
      add('top', 'goal.input.n'),
      add('left', 'tasks.top.output'),
      add('right', 'tasks.top.output, 10'),
      add('bottom', 'tasks.left.output, tasks.right.output'),
    ];
    // A call that takes long, as on a busy machine or for the first time, becomes an activity: some run must be quick.
    await expect
      .poll(
        async () => {
          const goal = await runGoal(system.astra, goalOf(tasks, '{{ tasks.bottom.output }}', { input: { n: 1 } }));
          expect(goal.view).toMatchObject({ status: 'completed', output: 17, error: null, parentGoalId: null });
          expect(goal.graph.edges).toHaveLength(4);
          expect(goal.typesOf(null)).toEqual(['goal.submitted', 'plan.proposed', 'plan.approved', 'goal.completed']);
          return tasks.flatMap(({ id }) => goal.typesOf(id));
        },
        { timeout: 30_000 },
      )
      .toEqual(tasks.map(() => 'task.completed'));
  });

  test('that reach out run as activities, each once, and hand their outputs on', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [
          fetching('first', `${web.url}/first`),
          fetching('second', `${web.url}/second/{{ tasks.first.output.status }}`),
          {
            id: 'shell',
            kind: 'tool',
            tool: 'shell.run',
            input: { command: 'cat', stdin: '{{ tasks.second.output.body.path }}' },
          },
        ],
        '{{ tasks.shell.output.stdout }}',
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: '/second/200' });
    expect(web.paths.filter((path) => /first|second/.test(path))).toEqual(['/first', '/second/200']);
    expect(goal.task('first')).toMatchObject({ tool: 'http.fetch', attempt: 1, output: { body: { path: '/first' } } });
    expect(goal.graph.criticalPath).toEqual(['first', 'second', 'shell']);
  });

  test('carry the same effect id at every attempt', async () => {
    const pay: Task = {
      id: 'pay',
      kind: 'tool',
      tool: 'http.fetch',
      input: { url: `${web.url}/pay?fail=1`, method: 'POST', body: { usd: '1' } },
      retry: { initialIntervalSeconds: 0.05 },
    };
    const goal = await runGoal(system.astra, goalOf([pay]));
    expect(goal.view.status).toBe('completed');
    expect(web.effectIds.filter((id) => id.startsWith(goal.id))).toEqual([`${goal.id}/pay/1`, `${goal.id}/pay/1`]);
  });
});

describe('maps', () => {
  type MapTask = Extract<Task, { kind: 'map' }>;
  const each = (over: string, task: MapTask['task'], rest: Partial<MapTask> = {}): MapTask => ({
    id: 'each',
    kind: 'map',
    over,
    task,
    ...rest,
  });
  const doubleSource = '(n) => { if (n < 0) throw new Error("negative"); return n * 2; }';
  const double = { kind: 'tool', tool: 'code.javascript', input: { code: doubleSource, input: '{{ item }}' } } as const;
  const fetchOf = (path: string) =>
    ({ kind: 'tool', tool: 'http.fetch', input: { url: `${web.url}${path}` } }) as const;

  test('of inline tools give the outputs in the order of their items', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [each('goal.input.numbers', double), code('last', '(all) => all[all.length - 1]', '{{ tasks.each.output }}')],
        ['{{ size(tasks.each.output) }}', '{{ tasks.last.output }}'],
        { input: { numbers: numbers(1_200) } },
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: [1_200, 2_398] });
    expect(goal.task('each').map).toEqual({ total: 1_200, completed: 1_200, failed: 0 });
    expect(goal.events.filter(({ taskId }) => taskId?.startsWith('each.'))).toHaveLength(1_200);
    const item = await system.astra.goals.task(goal.id, 'each.1199');
    expect(item).toMatchObject({ status: 'completed', output: 2_398 });
  });

  test('of an empty list complete at once', async () => {
    const goal = await runGoal(system.astra, goalOf([each('[]', double)], '{{ tasks.each.output }}'));
    expect(goal.view).toMatchObject({ status: 'completed', output: [] });
  });

  test('of effects keep to their window', async () => {
    expect(web.mostAtOnce).toBeLessThanOrEqual(3);
    const goal = await runGoal(
      system.astra,
      goalOf(
        [each('goal.input.items', fetchOf('/window/{{ item }}?delay=100'), { maxConcurrency: 3 })],
        '{{ tasks.each.output.map(page, page.body.path) }}',
        { input: { items: numbers(12) } },
      ),
    );
    const wanted = numbers(12).map((n) => `/window/${n}`);
    expect(goal.view).toMatchObject({ status: 'completed', output: wanted });
    expect(web.paths.filter((path) => path.startsWith('/window/')).toSorted()).toEqual(wanted.toSorted());
    expect(web.mostAtOnce).toBe(3);
  });

  test('of more items than one history should hold are split, and still run each item once', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf(
        [each('goal.input.items', fetchOf('/wide/{{ index }}'), { maxConcurrency: 50 })],
        '{{ size(tasks.each.output) }}',
        { input: { items: numbers(600) } },
      ),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 600 });
    const asked = web.paths.filter((path) => path.startsWith('/wide/'));
    expect(new Set(asked).size).toBe(600);
    expect(asked).toHaveLength(600);
    await using temporal = await connectTemporal(system.env);
    const shards = [0, 500].map((from) => temporal.client.workflow.getHandle(`goal/${goal.id}/each/${from}`));
    const statuses = await Promise.all(shards.map(async (shard) => (await shard.describe()).status.name));
    expect(statuses).toEqual(['COMPLETED', 'COMPLETED']);
  });

  test('may lose as many items as they say, whose outputs are null', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([each('[1, -2, 3, -4]', double, { minSuccess: 0.5 })], '{{ tasks.each.output }}'),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: [2, null, 6, null] });
    expect(goal.task('each').map).toEqual({ total: 4, completed: 2, failed: 2 });
    const item = await system.astra.goals.task(goal.id, 'each.1');
    expect(item).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TOOL_FAILED' } });
  });

  test('fail when they lose more', async () => {
    const goal = await runGoal(system.astra, goalOf([each('[1, -2, 3]', double)]));
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED' } });
    expect(goal.task('each')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_MAP_FAILED' } });
    expect(goal.task('each').error?.message).toContain('negative');
  });
});

describe('sub-goals', () => {
  const answer = (value: string): GoalSubmission =>
    goalOf([echo('answer', value)], { is: '{{ tasks.answer.output }}' });
  const broken = goalOf([code('break', '() => { throw new Error("broken"); }')]);

  test('are goals of their own, with a view, a graph and events', async () => {
    const body: GoalSubmission = {
      ...answer('{{ goal.input.n }}'),
      objective: 'Answer {{ tasks.pick.output }}',
      input: { n: '{{ tasks.pick.output + 1 }}' },
      labels: { of: 'child' },
    };
    const parent = await runGoal(
      system.astra,
      goalOf([echo('pick', 41), child('child', body)], '{{ tasks.child.output.is }}'),
    );
    expect(parent.view).toMatchObject({ status: 'completed', output: 42 });
    const { childGoalId } = parent.task('child');
    expect(childGoalId).toMatch(/^gol_/);
    const own = await finishedGoal(system.astra, childGoalId!);
    expect(own.view).toMatchObject({
      status: 'completed',
      parentGoalId: parent.id,
      objective: 'Answer 41',
      input: { n: 42 },
      labels: { of: 'child' },
      output: { is: 42 },
    });
    const children = await system.astra.goals.list({ parentGoalId: parent.id });
    expect(children.items.map(({ id }) => id)).toEqual([childGoalId]);
  });

  test('that fail, fail the task that started them', async () => {
    const parent = await runGoal(system.astra, goalOf([child('child', broken)]));
    expect(parent.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED' } });
    expect(parent.task('child')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_SUBGOAL_FAILED' } });
    const own = await finishedGoal(system.astra, parent.task('child').childGoalId!);
    expect(own.view.status).toBe('failed');
    expect(parent.task('child').error?.message).toContain(own.id);
  });

  test('may fail when their task says so', async () => {
    const parent = await runGoal(
      system.astra,
      goalOf([child('child', broken, { onFailure: 'continue' })], '{{ tasks.child.output }}'),
    );
    expect(parent.view).toMatchObject({ status: 'completed', output: null });
  });

  test('stand three deep in one another', async () => {
    const wrap = (inner: GoalSubmission): GoalSubmission => goalOf([child('child', inner)], '{{ tasks.child.output }}');
    const top = await runGoal(system.astra, wrap(wrap(wrap(answer('deep')))));
    expect(top.view).toMatchObject({ status: 'completed', output: { is: 'deep' } });
    let above = top;
    for (let depth = 1; depth <= 3; depth += 1) {
      const below = await finishedGoal(system.astra, above.task('child').childGoalId!);
      expect(below.view).toMatchObject({ status: 'completed', parentGoalId: above.id, output: { is: 'deep' } });
      above = below;
    }
    expect(above.graph.tasks.map(({ id }) => id)).toEqual(['answer']);
  });

  test('may have a plan that another task made, which is validated when they start', async () => {
    const made = (plan: object): GoalSubmission =>
      goalOf(
        [
          code('plan', `() => (${JSON.stringify(plan)})`),
          { id: 'child', kind: 'goal', goal: { objective: 'x', plan: '{{ tasks.plan.output }}' } },
        ],
        '{{ tasks.child.output }}',
      );
    const good = await runGoal(system.astra, made({ tasks: [echo('a', 7)], output: 'done' }));
    expect(good.view).toMatchObject({ status: 'completed', output: 'done' });
    const bad = await runGoal(system.astra, made({ tasks: [{ id: 'a', kind: 'tool', tool: 'no.such' }] }));
    const refused = { status: 'failed', error: { code: 'ASTRA_PLAN_INVALID' }, childGoalId: null };
    expect(bad.task('child')).toMatchObject(refused);
  });
});

test('goals are found by label, template, status and parent, and keep their priority', async () => {
  const run = crypto.randomUUID();
  const template = {
    name: `e2e-${run}`,
    description: 'Answers what it is given.',
    params: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
    objective: 'Answer {{ params.n }}',
    plan: { tasks: [echo('answer', '{{ params.n }}')], output: '{{ tasks.answer.output }}' },
  };
  await system.astra.templates.put(template);
  const call = { template: { name: template.name, params: { n: 5 } }, labels: { run, kind: 'made' } };
  const made = await runGoal(system.astra, call);
  expect(made.view).toMatchObject({ objective: 'Answer 5', output: 5, template: template.name });
  expect(made.view.plan?.source).toBe('template');

  for (const priority of [1, 2, 3, 4, 5]) {
    const labels = { run, kind: 'plain' };
    const goal = await runGoal(system.astra, goalOf([echo('a', 1)], null, { priority, labels }));
    expect(goal.view.priority).toBe(priority);
  }
  const found = async (filters: Parameters<System['astra']['goals']['list']>[0]) =>
    (await system.astra.goals.list({ limit: 100, ...filters })).items.map(({ priority }) => priority);
  expect(await found({ labels: { run } })).toEqual([5, 4, 3, 2, 1, 3]);
  expect(await found({ labels: { run, kind: 'plain' } })).toEqual([5, 4, 3, 2, 1]);
  expect(await found({ template: template.name })).toEqual([3]);
  expect(await found({ labels: { run }, status: ['failed', 'cancelled'] })).toEqual([]);
  expect(await found({ labels: { run }, status: ['completed', 'failed'] })).toHaveLength(6);
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('worker-2')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
