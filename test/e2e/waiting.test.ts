import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../../cli/test-support/run-in-process.ts';
import type { GraphView, TaskView } from '../../sdk/index.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, echo, fetching, goalOf, shell, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  const workers = [{ ASTRA_WORKER_CLASSES: 'kernel,tools' }, { ASTRA_WORKER_CLASSES: 'sandbox' }];
  const started = await startSystem({ workers, env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
  // Of its own: how long the calls of other tests took does not count.
  const tenant = `waiting-${process.pid}-${Date.now()}`;
  const [astra, token] = await Promise.all([started.clientFor({ tenant }), started.tokenFor({ tenant })]);
  system = { ...started, astra, token };
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const nap: Task = { id: 'nap', kind: 'wait', seconds: 600 };
const submit = async (tasks: Task[], rest: object = {}): Promise<string> =>
  (await system.astra.goals.submit(goalOf(tasks, undefined, rest))).id;
const waits = async (id: string): Promise<Record<string, TaskView['waitingFor']>> =>
  Object.fromEntries((await system.astra.goals.graph(id)).tasks.map((task) => [task.id, task.waitingFor]));
const cli = async (...args: string[]): Promise<string> =>
  (await runInProcess(system.apiUrl, args, { env: { ASTRA_TOKEN: system.token } })).stdout;
const secondsTo = (time: string | null): number => (Date.parse(time!) - Date.now()) / 1_000;
/** The graph, once it foretells: how long tasks took is known after some seconds. */
async function foretold(id: string): Promise<GraphView> {
  let graph: GraphView | undefined;
  await until(async () => (graph = await system.astra.goals.graph(id)).eta !== null, `an end of ${id} is expected`);
  return graph!;
}

describe('a task says why it waits:', () => {
  test('for tasks, a time, an event, people, an attempt after a pause', async () => {
    const flaky = fetching('flaky', `${web.url}/flaky?fail=9`, {
      retry: { maxAttempts: 9, initialIntervalSeconds: 600, maxIntervalSeconds: 600 },
    });
    const tasks = [
      hook,
      nap,
      approval('ask', { expiresSeconds: 60 }),
      flaky,
      echo('last', 1, { after: ['hook', 'ask'] }),
    ];
    const id = await submit(tasks);
    await awaitTask(system.astra, id, 'flaky', 'retrying');
    const { id: asked } = await awaitApproval(system.astra, id);
    await awaitTask(system.astra, id, 'nap', 'running');
    await awaitTask(system.astra, id, 'hook', 'running');
    const found = await waits(id);
    expect(found).toEqual({
      hook: { kind: 'event', detail: 'go', until: null },
      nap: { kind: 'timer', detail: '600 s', until: expect.any(String) as string },
      ask: { kind: 'approval', detail: asked, until: expect.any(String) as string },
      flaky: { kind: 'retry', detail: 'ASTRA_TOOL_FAILED', until: expect.any(String) as string },
      last: { kind: 'dependency', detail: 'hook, ask', until: null },
    });
    for (const [task, seconds] of [
      ['nap', 600],
      ['ask', 60],
      ['flaky', 600],
    ] as const) {
      expect(secondsTo(found[task]!.until)).toBeGreaterThan(0);
      expect(secondsTo(found[task]!.until)).toBeLessThanOrEqual(seconds);
    }
    const { tasks: shown, eta } = await system.astra.goals.graph(id);
    expect(shown.find((task) => task.id === 'nap')!.eta).toBe(found['nap']!.until);
    // Nobody knows when people decide.
    expect([shown.find((task) => task.id === 'last')!.eta, eta]).toEqual([null, null]);
    const printed = await cli('goal', 'graph', id);
    expect(printed).toMatch(/last {2}waits for hook, ask$/m);
    expect(printed).toMatch(/flaky {2}.*waits to try again until /m);
    await system.astra.goals.cancel(id);
  });

  test('for a worker of its class', async () => {
    await system.stopProcess('worker-2');
    const goal = await runGoal(system.astra, goalOf([shell('command', 'true')]), async (id) => {
      const { waitingFor } = await awaitTask(system.astra, id, 'command', 'queued');
      expect(waitingFor).toEqual({ kind: 'worker', detail: 'sandbox', until: null });
      expect(await cli('goal', 'graph', id)).toMatch(/command {2}waits for a worker \(sandbox\)/);
      await system.startProcess('worker-2');
    });
    expect(goal.task('command')).toMatchObject({ status: 'completed', waitingFor: null, eta: null });
    expect(goal.graph.eta).toBeNull();
  });

  test('for the approval of the plan, and of a call that is risky', async () => {
    const id = await submit([echo('a', 1, { risk: 'high' })], { approval: { plan: 'required' } });
    const { id: ofPlan } = await awaitApproval(system.astra, id);
    expect(await waits(id)).toEqual({ a: { kind: 'approval', detail: ofPlan, until: null } });
    await system.astra.approvals.decide(ofPlan, { decision: 'approved' });
    const { waitingFor } = await awaitTask(system.astra, id, 'a', 'awaiting_approval');
    expect(waitingFor).toMatchObject({ kind: 'approval', detail: (await awaitApproval(system.astra, id)).id });
    await system.astra.goals.cancel(id);
  });

  test('for nothing any more once its goal has failed', async () => {
    const tasks = [shell('bad', 'exit 1'), shell('slow', 'sleep 60'), echo('next', 1, { after: ['slow'] })];
    const id = await submit(tasks);
    await awaitTask(system.astra, id, 'slow', 'running');
    await awaitTask(system.astra, id, 'next', ({ waitingFor }) => waitingFor?.kind === 'goal_ending');
    expect((await waits(id))['next']!.detail).toBe('the goal has failed');
    await system.astra.goals.cancel(id);
    await finishedGoal(system.astra, id);
  });
});

test('a goal says why it does not begin: its time, and goals before it', async () => {
  const startAt = new Date(Date.now() + 3_600_000).toISOString();
  const later = await submit([echo('a', 1)], { startAt });
  const second = await submit([echo('a', 1)], { dependsOnGoalIds: [later] });
  const { goals } = system.astra;
  expect((await goals.get(later)).waitingFor).toEqual({ kind: 'timer', detail: 'startAt', until: startAt });
  expect((await goals.get(second)).waitingFor).toEqual({ kind: 'dependency', detail: later, until: null });
  expect(await cli('goal', 'get', later)).toContain(`until ${startAt}`);
  expect(await cli('goal', 'get', second)).toContain(`waits for ${later}`);
  for (const id of [later, second]) await goals.cancel(id);
});

describe('how long tasks of other goals took', () => {
  const slow = (id: string, after: string[] = []): Task => fetching(id, `${web.url}/${id}?delay=2000`, { after });

  test('foretells when a goal and its tasks will have ended, and what is critical', async () => {
    await runGoal(system.astra, goalOf([slow('once')]));
    const tasks = [
      nap,
      slow('then', ['nap']),
      slow('last', ['then']),
      echo('quick', 1, { after: ['nap'] }),
      echo('quicker', 1, { after: ['quick'] }),
    ];
    await runGoal(system.astra, goalOf([echo('a', 1)]));
    const id = await submit(tasks);
    await awaitTask(system.astra, id, 'nap', 'running');
    const graph = await foretold(id);
    const [napping, then, last] = graph.tasks;
    expect(napping!.eta).toBe(napping!.waitingFor!.until);
    // The mean of some calls, of which one took two seconds.
    const [first, both] = [then, last].map((task) => Date.parse(task!.eta!) - Date.parse(napping!.eta!));
    expect(first).toBeGreaterThan(100);
    expect(first).toBeLessThan(10_000);
    expect(Math.abs(both! - 2 * first!)).toBeLessThan(5);
    expect(graph.eta).toBe(last!.eta);
    expect(graph.criticalPath).toEqual(['nap', 'then', 'last']);
    const printed = await cli('goal', 'graph', id);
    expect(printed).toMatch(/last {2}waits for then · ends in ~1[0-9] min/);
    expect(printed).toMatch(/ends in ~/);
    const { estimate } = await system.astra.goals.previewAmendment(id, {
      baseRevision: 1,
      add: [slow('new', ['last'])],
    });
    expect(estimate.seconds).toBeGreaterThan(0.1);
    expect((await system.astra.goals.task(id, 'last')).eta).not.toBeNull();
    await system.astra.goals.cancel(id);
  });

  test('counts for sub-goals from templates too', async () => {
    const name = `nightly-${Date.now()}`;
    const template = { name, description: '', params: {}, objective: 'sleep', plan: { tasks: [slow('sleep')] } };
    await system.astra.templates.put(template);
    const nightly = child('child', { template: { name } });
    await runGoal(system.astra, goalOf([nightly]));
    const id = await submit([nap, { ...nightly, after: ['nap'] }]);
    await awaitTask(system.astra, id, 'nap', 'running');
    const { tasks } = await foretold(id);
    const seconds = (Date.parse(tasks[1]!.eta!) - Date.parse(tasks[0]!.eta!)) / 1_000;
    expect(seconds).toBeGreaterThan(2);
    expect(seconds).toBeLessThan(30);
    await system.astra.goals.cancel(id);
  });
});
