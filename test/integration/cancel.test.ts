import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTellWorkers } from '../../api/goals/tell-workers.ts';
import { createPlanCompensation } from '../../activities/execution/plan-compensation.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { listenForCancels, type CancelNotice } from '../../stores/cache/cancel-channel.ts';
import { createCompensationStore, type CompensationStore } from '../../stores/postgres/compensations.ts';
import { readTasks } from '../../stores/postgres/read-goal.ts';
import { until } from '../support/until.ts';
import {
  begin,
  completed,
  createRecordBench,
  draft,
  planOf,
  tool,
  headOf,
  type Process,
  type RecordBench,
} from './record-support.ts';

let bench: RecordBench;
let process: Process;
let store: CompensationStore;
beforeAll(async () => {
  bench = await createRecordBench();
  process = await bench.start();
  store = createCompensationStore(process.pool);
});
afterAll(() => bench.stop());

const cancelled = draft('goal.cancelled', { reason: null });
async function newGoal(parent?: GoalRef): Promise<GoalRef> {
  const goal = bench.newGoal();
  await begin(process.recorder, goal, [tool('a'), tool('b', 'a')], parent && { parentGoalId: parent.goalId });
  return goal;
}

test('a cancel concerns the goal and all below it that has not ended', async () => {
  const top = await newGoal();
  const [left, right] = [await newGoal(top), await newGoal(top)];
  const leaf = await newGoal(left);
  await newGoal();
  expect([...(await store.runningTree(top))].sort()).toEqual(
    [top, left, right, leaf].map(({ goalId }) => goalId).sort(),
  );
  await process.recorder.record(right, [cancelled]);
  expect(await store.runningTree(top)).not.toContain(right.goalId);
  expect(await store.runningTree({ ...top, tenant: 'another' })).toEqual([top.goalId]);
});

test('workers hear of a cancel at once', async () => {
  const top = await newGoal();
  const child = await newGoal(top);
  const heard: CancelNotice[] = [];
  const stop = listenForCancels(process.redis, (notice) => heard.push(notice));
  const tell = createTellWorkers({ redis: process.redis, findRunning: store.runningTree });
  try {
    await until(async () => {
      await tell(top, { reason: 'enough', compensate: true });
      return heard.some(({ goalId }) => goalId === top.goalId);
    }, 'the cancel is heard of');
    const notice = heard.find(({ goalId }) => goalId === top.goalId);
    expect(notice).toMatchObject({ ...top, workflowId: `goal/${top.goalId}`, reason: 'enough', compensate: true });
    expect([...notice!.goalIds].sort()).toEqual([top.goalId, child.goalId].sort());
  } finally {
    stop();
  }
});

test('telling the workers fails for nobody', async () => {
  const goal = await newGoal();
  const away = bench.start();
  const { redis } = await away;
  redis.disconnect();
  const tell = createTellWorkers({ redis, findRunning: () => Promise.reject(new Error('Postgres is away')) });
  await expect(tell(goal, { reason: null, compensate: false })).resolves.toBeUndefined();
});

test('a compensation is recorded once by however many, and leaves output, times and graph as they were', async () => {
  const goal = await newGoal();
  await process.recorder.record(goal, [completed('a', 'what a gave'), draft('goal.cancelling', { reason: null })]);
  const before = await process.reader.graph(goal.tenant, goal.goalId);
  const others = await Promise.all([bench.start(), bench.start()]);
  const compensated = draft('task.compensated', { output: 'what a gave' }, { taskId: 'a' });
  await Promise.all([process, ...others].map(({ recorder }) => recorder.record(goal, [compensated])));
  const events = await process.reader.events(goal.tenant, goal.goalId, { afterSeq: 0, limit: 100 });
  expect(events.filter(({ type }) => type === 'task.compensated')).toHaveLength(1);
  const after = await process.reader.graph(goal.tenant, goal.goalId);
  const [task] = before!.tasks;
  expect(after!.tasks[0]).toEqual({ ...task, cancelReceipt: 'compensated' });
  expect((await readTasks(process.pool, goal, ['a']))[0]?.output).toEqual({ output: 'what a gave' });
  expect(await store.isRecorded(goal, 'a')).toBe(true);
  expect(await store.isRecorded(goal, 'b')).toBe(false);
  await process.reader.rebuild(goal.tenant, goal.goalId);
  expect(await process.reader.graph(goal.tenant, goal.goalId)).toEqual(after);
});

test('what is left to compensate follows from the record: map items first, then what they came from', async () => {
  const goal = bench.newGoal();
  const undoable = (id: string, ...after: string[]) => ({ ...tool(id, ...after), tool: 'test.undoable' });
  const plan = planOf([undoable('a'), { ...undoable('each', 'a'), kind: 'map' }, tool('c', 'each')]);
  const binding = { workerClass: 'tools', execution: 'activity', effect: 'idempotent', timeoutSeconds: 10 } as const;
  const tools = { ...plan.outline.tools, 'test.undoable': { ...binding, compensable: true as const } };
  const given = { ...plan, outline: { ...plan.outline, tools } };
  const ends = ['a', 'each.0', 'each.2', 'c'].map((id) => completed(id));
  const { recorder } = process;
  await recorder.record(
    goal,
    [
      draft('goal.submitted', { head: headOf(goal) }),
      draft('plan.proposed', { outline: given.outline }),
      draft('task.started', { items: 3 }, { taskId: 'each' }),
      ...ends,
      draft('goal.cancelling', { reason: null, compensate: true }),
      draft('task.cancelled', { reason: null }, { taskId: 'each' }),
    ],
    { plan: given, submission: { documents: [], bodyHash: null } },
  );
  const next = async (): Promise<readonly string[]> => {
    // As a process that knows nothing of the goal.
    const fresh = await bench.start();
    const { calls } = await createPlanCompensation({ recorder: fresh.recorder, compensations: store })({ goal });
    return calls.map(({ taskId }) => taskId);
  };
  const failure = { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: true };
  expect(await next()).toEqual(['each.0', 'each.2']);
  await recorder.record(goal, [draft('task.compensated', {}, { taskId: 'each.0' })]);
  expect(await next()).toEqual(['each.2']);
  await recorder.record(goal, [draft('task.compensation_failed', { error: failure }, { taskId: 'each.2' })]);
  expect(await next()).toEqual(['a']);
  expect(await process.reader.task(goal.tenant, goal.goalId, 'each')).toMatchObject({
    cancelReceipt: 'aborted',
    map: { completed: 2, compensated: 1 },
    compensationError: { code: 'ASTRA_COMPENSATION_FAILED' },
  });
  const other = await bench.start();
  await other.recorder.record(goal, [draft('task.compensated', {}, { taskId: 'each.0' })]);
  await other.recorder.record(goal, [draft('task.compensated', { output: 'a' }, { taskId: 'a' }), cancelled]);
  const { calls, error } = await createPlanCompensation({ recorder, compensations: store })({ goal });
  expect(calls).toEqual([]);
  expect(error?.message).toContain('1 of 3 effects could not be taken back: each.2.');
  const events = await process.reader.events(goal.tenant, goal.goalId, { afterSeq: 0, limit: 100 });
  expect(events.filter(({ taskId }) => taskId === 'each.0').map(({ type }) => type)).toEqual([
    'task.completed',
    'task.compensated',
  ]);
});

test('a goal without a plan has nothing to compensate', async () => {
  const goal = bench.newGoal();
  await process.recorder.record(goal, [draft('goal.submitted', { head: headOf(goal) })]);
  const plan = createPlanCompensation({ recorder: process.recorder, compensations: store });
  expect(await plan({ goal })).toEqual({ calls: [], error: null });
});
