import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Template } from '../../domain/schemas/template.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { createAstra, type Astra } from '../../sdk/index.ts';
import type { Execution } from '../support/chaos/counting-tools.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';

const root = join(import.meta.dirname, '../..');
const goals = 50;
const kills = 10;

let stack: Stack;
let astra: Astra;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-chaos-'));
  const toolModules = join(root, 'test/support/chaos/counting-tools.ts');
  stack = await startTestStack({ processes: 'all', env: { ...process.env, ASTRA_TOOL_MODULES: toolModules } });
  astra = createAstra({ apiUrl: stack.connection.apiUrl, token: stack.connection.token });
});
afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

/** Effects, pure tasks and a map of effects, one after the other and side by side. */
function mixedGoal(file: string, index: number): GoalSubmission {
  const count = { kind: 'tool', tool: 'test.count', input: { file, milliseconds: 300 + 10 * index } } as const;
  const pure = { kind: 'tool', tool: 'code.javascript', input: { code: '() => [1, 2, 3]' } } as const;
  return {
    objective: `goal ${index}`,
    plan: {
      tasks: [
        { id: 'list', ...pure },
        { id: 'first', ...count, after: ['list'] },
        { id: 'left', ...count, after: ['first'] },
        { id: 'right', ...count, after: ['first'] },
        { id: 'middle', ...pure, after: ['left', 'right'] },
        { id: 'each', kind: 'map', over: 'tasks.list.output', after: ['middle'], task: count },
        { id: 'nap', kind: 'wait', seconds: 1, after: ['each'] },
        { id: 'last', ...count, after: ['nap'] },
      ],
      output: '{{ tasks.last.output.effectId }}',
    },
  };
}

async function eventsOf(goalId: string): Promise<GoalEvent[]> {
  const events: GoalEvent[] = [];
  for await (const event of astra.goals.events(goalId, { live: false })) events.push(event);
  return events;
}

const isTaskEnd = ({ type }: GoalEvent): boolean =>
  type === 'task.completed' || type === 'task.failed' || type === 'task.skipped' || type === 'task.cancelled';

test(`${goals} goals and the example survive ${kills} kills of the worker, and no recorded task runs again`, async () => {
  const file = join(directory, 'executions.ndjson');
  // Read from a file that a drift test holds to its source; the API validates it.
  const template = JSON.parse(await readFile(join(root, 'examples/repo-report/template.json'), 'utf8')) as Template;
  await astra.templates.put(template);

  const submitted = await Promise.all(
    Array.from({ length: goals }, (_, index) => astra.goals.submit(mixedGoal(file, index))),
  );
  const example = await astra.goals.submit({ template: { name: template.name, params: { directory: root } } });
  const ids = [...submitted.map(({ id }) => id), example.id];

  for (let kill = 0; kill < kills; kill += 1) {
    // Ten different moments; the worker takes a few seconds to be back, so some kills meet one that has just begun.
    await sleep(700 + 640 * kill);
    stack.kill('worker', 'SIGKILL');
    await stack.waitUntilUp('worker');
  }

  const results = await Promise.all(ids.map((id) => astra.goals.result(id, { timeoutMs: 240_000 })));
  expect(results.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));

  const endedAt = new Map<string, string>();
  for (const id of ids) {
    const events = await eventsOf(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const ends = events.filter(isTaskEnd);
    expect(new Set(ends.map(({ taskId }) => taskId)).size).toBe(ends.length);
    for (const { taskId, at } of ends) endedAt.set(`${id}/${taskId}/1`, at);
  }

  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  // The tool wrote them.
  const executions = lines.map((line) => JSON.parse(line) as Execution);
  const effects = new Set(executions.map(({ effectId }) => effectId));
  // Four tasks and three items of each goal.
  expect(effects.size).toBe(goals * 7);
  const afterItsRecord = executions.filter(({ effectId, at }) => at > (endedAt.get(effectId) ?? ''));
  expect(afterItsRecord).toEqual([]);
  console.log(
    `${executions.length} executions of ${effects.size} effects; ${executions.length - effects.size} were lost with a worker`,
  );
});

test('goals whose tasks share activities survive kills of the worker, and no recorded task runs again', async () => {
  const file = join(directory, 'shared.ndjson');
  const count = { kind: 'tool', tool: 'test.count', input: { file, milliseconds: 5 } } as const;
  const mapOf = (items: number): GoalSubmission => ({
    plan: { tasks: [{ id: 'each', kind: 'map', over: 'goal.input.items', maxConcurrency: 40, task: count }] },
    input: { items: Array.from({ length: items }, (_, index) => index) },
  });
  const completed = async (...ids: readonly string[]): Promise<void> => {
    const results = await Promise.all(ids.map((id) => astra.goals.result(id, { timeoutMs: 240_000 })));
    expect(results.map(({ status }) => status)).toEqual(ids.map(() => 'completed'));
  };
  // By then the worker knows that the tool is quick.
  await completed((await astra.goals.submit(mapOf(60))).id);

  const submitted = await Promise.all(Array.from({ length: 20 }, () => astra.goals.submit(mapOf(300))));
  const ids = submitted.map(({ id }) => id);
  for (const waitMs of [300, 500]) {
    await sleep(waitMs);
    stack.kill('worker', 'SIGKILL');
    await stack.waitUntilUp('worker');
  }
  await completed(...ids);

  const endedAt = new Map<string, string>();
  for (const id of ids) {
    const ends = (await eventsOf(id)).filter(({ type }) => type === 'task.completed');
    expect(new Set(ends.map(({ taskId }) => taskId)).size).toBe(ends.length);
    for (const { taskId, at } of ends) endedAt.set(`${id}/${taskId}/1`, at);
  }
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  // The tool wrote them.
  const executions = lines.map((line) => JSON.parse(line) as Execution);
  const ofGoals = executions.filter(({ effectId }) => ids.some((id) => effectId.startsWith(id)));
  expect(new Set(ofGoals.map(({ effectId }) => effectId)).size).toBe(20 * 300);
  expect(ofGoals.filter(({ effectId, at }) => at > (endedAt.get(effectId) ?? ''))).toEqual([]);
  expect(await sharedActivities(ids)).toBeGreaterThan(0);
  console.log(`${ofGoals.length - 6_000} of 6,000 executions were lost with a worker`);
});

/** Activities of several tasks each that the goals' histories tell of. */
async function sharedActivities(ids: readonly string[]): Promise<number> {
  const connection = await Connection.connect({ address: stack.connection.temporalAddress });
  const { workflow } = new Client({ connection });
  try {
    const histories = await Promise.all(ids.map((id) => workflow.getHandle(`goal/${id}`).fetchHistory()));
    return histories
      .flatMap(({ events }) => events ?? [])
      .filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'executeTasks').length;
  } finally {
    await connection.close();
  }
}
