import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRecorder } from '../../activities/projection/recorder.ts';
import type { PlanOutline, TaskOutline } from '../../domain/plan-outline.ts';
import { createTaskDurationStore } from '../../stores/postgres/task-durations.ts';
import { removeTenantRows } from '../../stores/postgres/tenant-rows.ts';
import { at, createRecordBench, draft, headOf, planOf, type Process, type RecordBench } from './record-support.ts';

let bench: RecordBench;
let worker: Process;
beforeAll(async () => {
  bench = await createRecordBench();
  worker = await bench.start();
});
afterAll(() => bench.stop());

const seen = (tenant: string, taskType: string, tasks: number, seconds: number) => ({
  tenant,
  taskType,
  tasks,
  seconds,
});

test('is told of what has completed, by its type, once it is recorded', async () => {
  const told: [string, string, number][] = [];
  const { pool, viewCache } = worker;
  const recorder = createRecorder({
    pool,
    viewCache,
    logger: { error: () => undefined },
    onDuration: (...duration) => told.push(duration),
  });
  const goal = bench.newGoal();
  const tasks: TaskOutline[] = [
    { id: 'call', kind: 'tool', tool: 'text.render', after: [] },
    { id: 'each', kind: 'map', tool: 'text.render', after: [] },
    { id: 'child', kind: 'goal', template: 'nightly', after: [] },
    { id: 'own', kind: 'goal', after: [] },
    { id: 'nap', kind: 'wait', after: [] },
    { id: 'bad', kind: 'tool', tool: 'text.render', after: [] },
  ];
  const recorded = planOf([]);
  const outline: PlanOutline = { ...recorded.outline, tasks };
  const ended = (taskId: string, second: number) =>
    draft('task.completed', { output: null, startedAt: at(0) }, { taskId, second });
  const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false };
  const ends = [
    ended('call', 2),
    ended('each.0', 3),
    ended('each', 5),
    ended('child', 60),
    ended('own', 7),
    ended('nap', 8),
    draft('task.failed', { error, startedAt: at(0) }, { taskId: 'bad', second: 9 }),
  ];
  await recorder.record(goal, [draft('goal.submitted', { head: headOf(goal) }), draft('plan.proposed', { outline })], {
    plan: { ...recorded, outline },
  });
  await recorder.record(goal, ends);
  // What is no news was told before.
  await recorder.record(goal, ends);
  expect(told).toEqual([
    [goal.tenant, 'text.render', 2],
    [goal.tenant, 'text.render', 3],
    [goal.tenant, 'map:text.render', 5],
    [goal.tenant, 'goal:nightly', 60],
  ]);
  await recorder.close();
});

test('later tasks count more than earlier ones', async () => {
  const store = createTaskDurationStore(worker.pool);
  const mean = async (): Promise<number> => (await store.ofTenant('means')).get('x.y') ?? NaN;
  await store.add([seen('means', 'x.y', 1, 4)]);
  expect(await mean()).toBe(4);
  await store.add([seen('means', 'x.y', 1, 8)]);
  expect(await mean()).toBeCloseTo(6);
  await store.add([seen('means', 'x.y', 98, 98 * 6)]);
  expect(await mean()).toBeCloseTo(6);
  // Each is a twentieth by now, and a hundred at once are nearly all.
  await store.add([seen('means', 'x.y', 1, 26)]);
  expect(await mean()).toBeCloseTo(7);
  await store.add([seen('means', 'x.y', 100, 100)]);
  expect(await mean()).toBeCloseTo(1, 1);
});

test('workers that add the same types at the same time do not fail one another, and nothing is left of a tenant', async () => {
  const store = createTaskDurationStore(worker.pool);
  const types = Array.from({ length: 40 }, (_, n) => `x.t${n}`);
  const rows = types.map((type) => seen('many', type, 1, 1));
  await Promise.all([rows, rows.toReversed(), rows, rows.toReversed()].map((each) => store.add(each)));
  await store.add([seen('other', 'x.y', 1, 1)]);
  expect((await store.ofTenant('many')).size).toBe(40);
  await removeTenantRows(worker.pool, 'many', { onProgress: () => undefined });
  expect((await store.ofTenant('many')).size).toBe(0);
  expect((await store.ofTenant('other')).size).toBe(1);
});
