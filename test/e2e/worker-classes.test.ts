import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitTask } from '../support/e2e/await-task.ts';
import { runGoal } from '../support/e2e/finished-goal.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, code, echo, fetching, goalOf, shell, type Task } from '../support/e2e/tasks.ts';

// Each class in a process of its own, as they are where each is scaled by itself.
const classes = ['kernel', 'tools', 'sandbox'] as const;
let system: System;
let web: ScriptedHttp;
beforeAll(async () => {
  web = await startScriptedHttp();
  const workers = classes.map((name) => ({ ASTRA_WORKER_CLASSES: name }));
  system = await startSystem({ workers, env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

test('a goal’s tasks run each on a worker of its class, and read what the others recorded', async () => {
  const tasks: Task[] = [
    echo('pure', 20),
    fetching('page', `${web.url}/page/{{ tasks.pure.output }}`),
    {
      id: 'each',
      kind: 'map',
      over: '[1, 2, 3]',
      task: { kind: 'tool', tool: 'http.fetch', input: { url: `${web.url}/item/{{ item + tasks.pure.output }}` } },
    },
    shell('command', 'cat', {
      input: { command: 'cat', stdin: '{{ tasks.page.output.body.path }}{{ tasks.each.output[2].body.path }}' },
    }),
    child(
      'child',
      goalOf([code('size', '(text) => text.length', '{{ goal.input.text }}')], '{{ tasks.size.output }}', {
        input: { text: '{{ tasks.command.output.stdout }}' },
      }),
    ),
  ];
  const goal = await runGoal(
    system.astra,
    goalOf(tasks, '{{ [tasks.command.output.stdout, string(tasks.child.output)] }}'),
  );
  expect(goal.view).toMatchObject({ status: 'completed', output: ['/page/20/item/23', '16'] });
});

test('pure work that takes longer than a segment goes on, and can be cancelled', async () => {
  const busy = '() => { const end = Date.now() + 20; while (Date.now() < end); return 1; }';
  const tasks = (length: number): Task[] =>
    Array.from({ length }, (_, n) => code(`t${n}`, busy, null, n === 0 ? {} : { after: [`t${n - 1}`] }));
  const goal = await runGoal(system.astra, goalOf(tasks(60)));
  expect(goal.view).toMatchObject({ status: 'completed', progress: { completed: 60 } });
  const cancelled = await runGoal(system.astra, goalOf(tasks(400)), async (id) => {
    await awaitTask(system.astra, id, 't0', 'completed');
    await system.astra.goals.cancel(id);
  });
  expect(cancelled.view.status).toBe('cancelled');
  expect(cancelled.view.progress.completed).toBeLessThan(200);
});

test('tasks of a class without a worker wait for one', async () => {
  await system.stopProcess('worker-3');
  const goal = await runGoal(system.astra, goalOf([shell('command', 'echo here')]), async (id) => {
    const { waitingFor } = await awaitTask(system.astra, id, 'command', 'queued');
    expect(waitingFor).toEqual({ kind: 'worker', detail: 'sandbox', until: null });
    await system.startProcess('worker-3');
  });
  expect(goal.task('command')).toMatchObject({ status: 'completed', attempt: 1, output: { stdout: 'here\n' } });
});

test('nothing unexpected was logged', async () => {
  const logs = await Promise.all((['worker', 'worker-2', 'worker-3', 'api'] as const).map((name) => system.log(name)));
  expect(logs.flat().filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
