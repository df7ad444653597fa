import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { createBench, type Bench } from '../support/workflow/run-goal.ts';
import { createFakeWorld } from '../support/workflow/fake-world.ts';
import { outline, task } from '../support/workflow/outlines.ts';
import { until } from '../support/until.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await createBench(inject('stack').env.TEMPORAL_ADDRESS ?? '');
});
afterAll(() => bench.close());

const submission = (priority: number): GoalSubmission => ({
  objective: 'test',
  plan: { tasks: [{ id: 'a', kind: 'wait', seconds: 0 }] },
  priority,
});
/** Two calls after one another, so that the second is one that could start eagerly. */
const plan = outline(task('first'), task('second', ['first']));

/** A worker of two slots whose calls take 25 ms, and in which order goals ended. */
function createFewSlots() {
  let calls = 0;
  const world = createFakeWorld({
    outline: plan,
    execute: async () => {
      calls += 1;
      await sleep(25);
      return { status: 'completed' };
    },
  });
  const ended: string[] = [];
  async function start(name: string, goal: { readonly priority: number; readonly tenant?: string }): Promise<void> {
    const { priority, tenant = 'test' } = goal;
    const handle = await bench.start({ tenant, submission: submission(priority) });
    results.push(handle.result().then(() => ended.push(name)));
  }
  const results: Promise<unknown>[] = [];
  const run = (drive: () => Promise<void>): Promise<void> =>
    bench.withWorker(
      world.activities,
      async () => {
        await drive();
        await Promise.all(results);
      },
      { slots: 2 },
    );
  return { start, run, ended, calls: () => calls };
}

const times = (count: number, work: (n: number) => Promise<void>): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, (_, n) => work(n)));

test('an urgent goal overtakes a backlog of goals that are not', async () => {
  const { start, run, ended, calls } = createFewSlots();
  await run(async () => {
    await times(100, () => start('later', { priority: 5 }));
    await until(() => calls() >= 10, 'the backlog is worked on');
    await start('urgent', { priority: 1 });
  });
  expect(ended).toHaveLength(101);
  expect(ended.indexOf('urgent')).toBeLessThan(40);
});

test('a tenant with a backlog of hundreds does not starve another', async () => {
  const { start, run, ended, calls } = createFewSlots();
  await run(async () => {
    await times(300, () => start('large', { priority: 3, tenant: 'large' }));
    await until(() => calls() >= 10, 'the backlog is worked on');
    await times(5, () => start('small', { priority: 3, tenant: 'small' }));
  });
  expect(ended).toHaveLength(305);
  // Each in turn: its ten calls are among some twenty, beside what was begun before.
  expect(ended.lastIndexOf('small')).toBeLessThan(150);
});
