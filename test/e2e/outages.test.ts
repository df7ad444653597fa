import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Stack } from '../../infra/local/stack.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { processesWith } from '../support/e2e/host-processes.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, code, echo, fetching, goalOf, shell, type Task, type Tasks } from '../support/e2e/tasks.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';
import { until } from '../support/until.ts';

// Servers of its own: what stops here stops for nobody else.
let stack: Stack;
let web: ScriptedHttp;
let system: System;
beforeAll(async () => {
  [stack, web] = await Promise.all([startTestStack(), startScriptedHttp()]);
  const env = { ASTRA_EGRESS_ALLOW: '127.0.0.1' };
  system = await startSystem({ stack: { env: { ...stack.env }, connection: stack.connection }, env });
});
afterAll(async () => {
  await system.stop();
  await Promise.all([stack.stop(), web.stop()]);
});

let run: string;
beforeEach(() => {
  run = crypto.randomUUID();
});

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const chain = (length: number): Tasks =>
  Array.from({ length }, (_, n) => code(`t${n}`, '(n) => n + 1', n === 0 ? 0 : `{{ tasks.t${n - 1}.output }}`));

interface Readiness {
  readonly status: string;
  readonly dependencies: Readonly<Record<string, { readonly state: 'up' | 'down' }>>;
}
async function readyz(): Promise<{ readonly code: number; readonly status: string; readonly down: readonly string[] }> {
  const response = await system.fetch('/readyz', { as: null });
  const { status, dependencies } = (await response.json()) as Readiness;
  const down = Object.keys(dependencies).filter((name) => dependencies[name]?.state === 'down');
  return { code: response.status, status, down };
}
const untilReady = (): Promise<void> =>
  until(async () => (await readyz()).status === 'ready', 'every dependency is up', { timeoutSeconds: 60 });

async function readsFrom(source: string): Promise<number> {
  return (await system.metrics('api')).sum('astra_reads_total', { source });
}

async function standingGoal(): Promise<string> {
  const { id } = await system.astra.goals.submit(
    goalOf([echo('before', 1), { ...hook, after: ['before'] }], '{{ tasks.hook.output }}'),
  );
  await awaitTask(system.astra, id, 'hook', 'running');
  return id;
}

describe('without Redis', () => {
  test('goals go on and reads fall through; once it is back, its views are right', async () => {
    const standing = await standingGoal();
    const finished = await runGoal(system.astra, goalOf(chain(5)));
    await stack.stopComponent('redis');
    try {
      expect(await readyz()).toEqual({ code: 200, status: 'degraded', down: ['redis'] });
      const during = await Promise.all([
        runGoal(system.astra, goalOf(chain(20), '{{ tasks.t19.output }}')),
        runGoal(system.astra, goalOf([shell('sh', 'echo hello')], '{{ tasks.sh.output.stdout }}')),
        runGoal(system.astra, goalOf([child('child', goalOf(chain(2), 'deep'))], '{{ tasks.child.output }}')),
      ]);
      expect(during.map(({ view }) => view.output)).toEqual([20, 'hello\n', 'deep']);
      const before = await readsFrom('postgres');
      expect(await system.astra.goals.get(finished.id)).toEqual(finished.view);
      expect(await system.astra.goals.graph(finished.id)).toEqual(finished.graph);
      expect(await readsFrom('postgres')).toBeGreaterThan(before);
      // Its view in Redis is old from here on.
      await system.astra.goals.sendEvent(standing, { name: 'go', data: { n: 1 } });
      await finishedGoal(system.astra, standing);
    } finally {
      await stack.startComponent('redis');
    }
    await untilReady();
    const { view } = await finishedGoal(system.astra, standing);
    expect(view).toMatchObject({ status: 'completed', output: { n: 1 } });
    const goal = await runGoal(system.astra, goalOf(chain(3)));
    await until(async () => {
      const before = await readsFrom('postgres');
      await system.astra.goals.get(goal.id);
      return (await readsFrom('postgres')) === before;
    }, 'reads are served from Redis again');
  });

  test('a goal that it knew and that moved on while it was away is not shown as it was', async () => {
    const standing = await standingGoal();
    // Killed, not stopped: it comes back at once, and connections break in the middle.
    stack.kill('redis');
    await system.astra.goals.sendEvent(standing, { name: 'go', data: {} });
    const { view } = await finishedGoal(system.astra, standing);
    await untilReady();
    expect(await system.astra.goals.get(standing)).toEqual(view);
  });
});

test('without Memcached cached tools answer all the same', async () => {
  const tasks: Tasks = [
    { id: 'write', kind: 'tool', tool: 'artifact.write', input: { name: 'a.txt', mediaType: 'text/plain', text: run } },
    { id: 'read', kind: 'tool', tool: 'artifact.read', input: { sha256: '{{ tasks.write.output.artifact.sha256 }}' } },
  ];
  const goal = goalOf(tasks, '{{ tasks.read.output.text }}');
  expect((await runGoal(system.astra, goal)).view.output).toBe(run);
  await stack.stopComponent('memcached');
  try {
    expect((await runGoal(system.astra, goal)).view.output).toBe(run);
  } finally {
    await stack.startComponent('memcached');
  }
  expect((await runGoal(system.astra, goal)).view.output).toBe(run);
});

describe('without Postgres', () => {
  /** Goals of every kind, under way when Postgres goes. */
  const mixed = (): Record<string, ReturnType<typeof goalOf>> => ({
    chain: goalOf(
      [shell('s0', 'sleep 1'), shell('s1', 'sleep 1', { after: ['s0'] }), echo('end', 's', { after: ['s1'] })],
      '{{ tasks.end.output }}',
    ),
    // One attempt, and hardly a pause: an outage must not use it up.
    once: goalOf(
      Array.from({ length: 20 }, (_, n) =>
        fetching(`f${n}`, `${web.url}/${run}/f${n}?delay=200`, {
          retry: { maxAttempts: 1, initialIntervalSeconds: 0.01 },
          after: n === 0 ? [] : [`f${n - 1}`],
        }),
      ),
      '{{ tasks.f19.output.status }}',
    ),
    map: goalOf(
      [
        {
          id: 'each',
          kind: 'map',
          over: 'goal.input.items',
          maxConcurrency: 4,
          task: { kind: 'tool', tool: 'http.fetch', input: { url: `${web.url}/${run}/item{{ item }}?delay=100` } },
        },
      ],
      '{{ size(tasks.each.output) }}',
      { input: { items: Array.from({ length: 80 }, (_, n) => n) } },
    ),
    waits: goalOf(
      [
        { id: 'w0', kind: 'wait', seconds: 1 },
        { id: 'w1', kind: 'wait', seconds: 1, after: ['w0'] },
        echo('end', 'w', { after: ['w1'] }),
      ],
      '{{ tasks.end.output }}',
    ),
    child: goalOf(
      [
        child(
          'child',
          goalOf(
            [{ id: 'nap', kind: 'wait', seconds: 2 }, echo('end', 'c', { after: ['nap'] })],
            '{{ tasks.end.output }}',
          ),
        ),
      ],
      '{{ tasks.child.output }}',
    ),
  });

  test('goals wait and catch up, reads serve what is cached, and nothing is lost', async () => {
    const finished = await runGoal(system.astra, goalOf(chain(5)));
    const asking = await system.astra.goals.submit(goalOf([approval('ok')]));
    await awaitTask(system.astra, asking.id, 'ok', 'awaiting_approval');
    const nap = `300.${Date.now()}`;
    const sleeping = await system.astra.goals.submit(goalOf([shell('sleep', `sleep ${nap}`)]));
    await until(async () => (await processesWith(`sleep ${nap}`)).length > 0, 'the command sleeps');
    const goals = mixed();
    const ids = Object.fromEntries(
      await Promise.all(
        Object.entries(goals).map(async ([name, goal]) => [name, (await system.astra.goals.submit(goal)).id] as const),
      ),
    );
    await awaitTask(system.astra, ids['map']!, 'each', ({ map }) => (map?.completed ?? 0) > 2);

    await stack.stopComponent('postgres');
    const downUntil = Date.now() + 10_000;
    let late = '';
    try {
      expect(await readyz()).toEqual({ code: 200, status: 'degraded', down: ['postgres'] });
      expect(await system.astra.goals.get(finished.id)).toEqual(finished.view);
      expect(await system.astra.goals.graph(finished.id)).toEqual(finished.graph);
      for (const id of Object.values(ids)) expect((await system.astra.goals.get(id)).id).toBe(id);
      const vote = system.astra.approvals.decide(`apr_${asking.id.slice(4)}.ok`, { decision: 'approved' });
      await expect(vote).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE', status: 503 });
      // A submission needs Temporal alone.
      const accepted = await system.astra.goals.submit(goalOf([echo('late', 'late')], '{{ tasks.late.output }}'));
      late = accepted.id;
      expect((await system.astra.goals.get(late)).status).toBe('accepted');
      expect((await system.astra.goals.cancel(sleeping.id)).id).toBe(sleeping.id);
      await until(async () => (await processesWith(nap)).length === 0, 'the cancel reaches the command');
      await until(() => Date.now() > downUntil, 'the outage lasts 10 s');
    } finally {
      await stack.startComponent('postgres');
    }

    await untilReady();
    await system.astra.approvals.decide(`apr_${asking.id.slice(4)}.ok`, { decision: 'approved' });
    expect((await finishedGoal(system.astra, asking.id)).view.status).toBe('completed');
    expect((await finishedGoal(system.astra, sleeping.id)).view.status).toBe('cancelled');
    expect((await finishedGoal(system.astra, late)).view).toMatchObject({ status: 'completed', output: 'late' });
    const outputs = { chain: 's', once: 200, map: 80, waits: 'w', child: 'c' };
    for (const [name, output] of Object.entries(outputs)) {
      const { view } = await finishedGoal(system.astra, ids[name]!);
      expect(view, `${name}: ${view.error?.message ?? ''}`).toMatchObject({ status: 'completed', output });
    }
    const asked = web.paths.filter((path) => path.startsWith(`/${run}/`));
    expect(asked.length, 'no request was made twice').toBe(new Set(asked).size);
    expect(asked).toHaveLength(100);
  });
});

test('without Temporal nothing can be submitted, and says so; reads and running goals survive', async () => {
  const standing = await standingGoal();
  const { view } = await runGoal(system.astra, goalOf(chain(3)));
  await stack.stopComponent('temporal');
  try {
    expect(await readyz()).toEqual({ code: 503, status: 'not ready', down: ['temporal'] });
    expect(await system.astra.goals.get(view.id)).toEqual(view);
    const refused = await system.fetch('/v1/goals', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(goalOf(chain(1))),
    });
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await refused.json()).toMatchObject({ code: 'ASTRA_UNAVAILABLE', retryable: true });
  } finally {
    await stack.startComponent('temporal');
  }
  await untilReady();
  await system.astra.goals.sendEvent(standing, { name: 'go', data: { n: 2 } });
  expect((await finishedGoal(system.astra, standing)).view).toMatchObject({ status: 'completed', output: { n: 2 } });
  expect((await runGoal(system.astra, goalOf(chain(3)))).view.status).toBe('completed');
});

test('without object storage large outputs wait for it', async () => {
  await stack.stopComponent('s3');
  let goal: Promise<Awaited<ReturnType<typeof runGoal>>>;
  try {
    expect(await readyz()).toMatchObject({ code: 200, status: 'degraded', down: ['s3'] });
    const big: Tasks = [
      code('inline', '() => "x".repeat(9000)'),
      fetching('activity', `${web.url}/${run}/big?bytes=9000`),
      code(
        'size',
        '(all) => all.map((text) => text.length)',
        '{{ [tasks.inline.output, tasks.activity.output.body] }}',
      ),
    ];
    const { id } = await system.astra.goals.submit(goalOf(big, '{{ tasks.size.output }}'));
    await until(() => web.paths.includes(`/${run}/big`), 'the tool has answered');
    expect((await system.astra.goals.get(id)).status).toBe('running');
    goal = finishedGoal(system.astra, id);
  } finally {
    await stack.startComponent('s3');
  }
  expect((await goal).view).toMatchObject({ status: 'completed', output: [9_000, 9_000] });
  expect(web.paths.filter((path) => path === `/${run}/big`)).toHaveLength(1);
});
