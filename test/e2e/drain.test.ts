import { afterAll, beforeAll, expect, test } from 'vitest';
import { awaitTask } from '../support/e2e/await-task.ts';
import { goalOf, shell } from '../support/e2e/tasks.ts';
import { startSystem, type System } from '../support/e2e/system.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

test('a worker that is told to stop lets a short command end, and the goal goes on with the next worker', async () => {
  const { id } = await system.astra.goals.submit(goalOf([shell('a', 'sleep 3'), shell('b', 'true', { after: ['a'] })]));
  await awaitTask(system.astra, id, 'a', 'running');
  await system.restartWorker();
  expect(await system.astra.goals.result(id, { timeoutMs: 60_000 })).toMatchObject({ status: 'completed' });
  expect(await system.astra.goals.task(id, 'a')).toMatchObject({ status: 'completed', attempt: 1 });
});

test('a command that takes longer than the worker may take to stop is begun again by the next one', async () => {
  const { id } = await system.astra.goals.submit(goalOf([shell('long', 'sleep 15')]));
  await awaitTask(system.astra, id, 'long', 'running');
  await system.restartWorker();
  expect(await system.astra.goals.result(id, { timeoutMs: 90_000 })).toMatchObject({ status: 'completed' });
  expect(await system.astra.goals.task(id, 'long')).toMatchObject({ status: 'completed', attempt: 2 });
});
