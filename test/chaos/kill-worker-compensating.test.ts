import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Stack } from '../../infra/local/stack.ts';
import { createAstra, type Astra } from '../../sdk/index.ts';
import type { Deed } from '../support/cancel/undoable-tools.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { startTestStack } from '../support/stack/start-test-stack.ts';

const goals = 20;
const items = 10;
const effectsOfGoal = items + 2;
const kills = 3;

let stack: Stack;
let astra: Astra;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-chaos-'));
  const toolModules = join(import.meta.dirname, '../support/cancel/undoable-tools.ts');
  stack = await startTestStack({ processes: 'all', env: { ...process.env, ASTRA_TOOL_MODULES: toolModules } });
  astra = createAstra({ apiUrl: stack.connection.apiUrl, token: stack.connection.token });
});
afterAll(async () => {
  await stack.stop();
  await rm(directory, { recursive: true, force: true });
});

function undoableGoal(file: string): GoalSubmission {
  const undoable = { kind: 'tool', tool: 'test.undoable', input: { file, undoMs: 400 } } as const;
  return {
    plan: {
      tasks: [
        { id: 'first', ...undoable },
        { id: 'each', kind: 'map', over: 'goal.input.items', after: ['first'], task: undoable },
        { id: 'last', ...undoable, after: ['each'] },
        { id: 'hook', kind: 'wait', event: 'never.comes', after: ['last'] },
      ],
    },
    input: { items: Array.from({ length: items }, (_, index) => index) },
  };
}

async function eventsOf(goalId: string): Promise<GoalEvent[]> {
  const events: GoalEvent[] = [];
  for await (const event of astra.goals.history(goalId)) events.push(event);
  return events;
}

test(`${goals} compensations survive ${kills} kills of the worker, and none that is recorded runs again`, async () => {
  const file = join(directory, 'deeds.ndjson');
  const submitted = await Promise.all(Array.from({ length: goals }, () => astra.goals.submit(undoableGoal(file))));
  const ids = submitted.map(({ id }) => id);
  await Promise.all(ids.map((id) => awaitTask(astra, id, 'hook', 'running')));
  await Promise.all(ids.map((id) => astra.goals.cancel(id, { compensate: true })));
  for (let kill = 0; kill < kills; kill += 1) {
    // Different moments; the last one meets a worker that has just begun again.
    await sleep(300 + 200 * kill);
    stack.kill('worker', 'SIGKILL');
    await stack.waitUntilUp('worker');
  }
  const results = await Promise.all(ids.map((id) => astra.goals.result(id, { timeoutMs: 180_000 })));
  expect(results).toMatchObject(ids.map(() => ({ status: 'cancelled', error: null })));

  const recordedAt = new Map<string, string>();
  for (const id of ids) {
    const events = await eventsOf(id);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    const compensated = events.filter(({ type }) => type === 'task.compensated');
    // The map's own, too.
    expect(compensated).toHaveLength(effectsOfGoal + 1);
    expect(new Set(compensated.map(({ taskId }) => taskId)).size).toBe(compensated.length);
    for (const { taskId, at } of compensated) recordedAt.set(`${id}/${taskId}/1/compensation`, at);
  }
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  // The tool wrote them.
  const undone = lines.map((line) => JSON.parse(line) as Deed).filter(({ what }) => what === 'undone');
  expect(new Set(undone.map(({ effectId }) => effectId)).size).toBe(goals * effectsOfGoal);
  expect(undone.filter(({ effectId, at }) => at > (recordedAt.get(effectId) ?? ''))).toEqual([]);
  console.log(
    `${undone.length - goals * effectsOfGoal} of ${goals * effectsOfGoal} compensations were lost with a worker`,
  );
});
