import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { PlanGoalArgs } from '../../activities/contract.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import type { Task } from '../../domain/schemas/plan.ts';
import { loadConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/logger.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { createTemplateStore } from '../../stores/postgres/templates.ts';
import { readEvents } from '../../stores/postgres/read-goal.ts';
import { until } from '../support/until.ts';
import { createParts, type WorkerParts } from '../../worker/parts.ts';

const tenant = `begin-${randomBytes(4).toString('hex')}`;
const logger = createLogger({ name: 'test', level: 'fatal' });
const startWorker = (): Promise<WorkerParts> =>
  createParts({
    config: loadConfig(inject('stack').env),
    logger,
    metrics: createMetrics(),
    threads: 2,
    temporal: () => Promise.reject(new Error('no goal of this test waits for another')),
  });

let worker: WorkerParts;
beforeAll(async () => {
  worker = await startWorker();
  await worker.announceTools();
  // While the threads start, a segment's time passes with nothing run.
  await until(async () => {
    const begun = await worker.activities.beginGoal(argsOf(sum));
    return 'completed' in begun && begun.completed;
  }, 'the threads have started');
});
afterAll(() => worker.close());

function argsOf(submission: GoalSubmission): PlanGoalArgs {
  const goalId = `gol_${randomBytes(15).toString('hex')}` as GoalId; // as the API makes them
  const submittedAt = new Date().toISOString();
  return { goal: { tenant, goalId }, submission, submittedAt, parentGoalId: null, bodyHash: null, depth: 0 };
}

const script = (id: string, code: string, input: string | number = 0): Task => ({
  id,
  kind: 'tool',
  tool: 'code.javascript',
  input: { code, input },
});
const mapOver = (count: number, code: string, rest: { readonly minSuccess?: number } = {}): Task => ({
  id: 'each',
  kind: 'map',
  over: `goal.input.items.filter(i, i < ${count})`,
  task: { kind: 'tool', tool: 'code.javascript', input: { code, input: '{{ item }}' } },
  ...rest,
});
const items = Array.from({ length: 600 }, (_, index) => index);

const eventsOf = (args: PlanGoalArgs) => readEvents(worker.pool, args.goal, { afterSeq: 0, limit: 500 });
const typesOf = async (args: PlanGoalArgs): Promise<string[]> => (await eventsOf(args)).map(({ type }) => type);

const sum: GoalSubmission = {
  objective: 'add up',
  plan: {
    tasks: [script('two', '() => 2'), script('four', '(n) => 2 * n', '{{ tasks.two.output }}')],
    output: '{{ tasks.four.output }}',
  },
};

test('a goal of quick tasks is planned, run and completed at once', async () => {
  const args = argsOf(sum);
  expect(await worker.activities.beginGoal(args)).toMatchObject({
    begun: { outcomes: { two: { status: 'completed' }, four: { status: 'completed' } }, deferred: [] },
    completed: true,
  });
  const events = await eventsOf(args);
  expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(events.map(({ type }) => type)).toEqual([
    'goal.submitted',
    'plan.proposed',
    'plan.approved',
    'task.completed',
    'task.completed',
    'goal.completed',
  ]);
  expect(events.at(-1)?.data).toEqual({ output: 4 });
});

test('another worker that begins it again records nothing more, and says that it is completed', async () => {
  const args = argsOf(sum);
  await worker.activities.beginGoal(args);
  const other = await startWorker();
  try {
    expect(await other.activities.beginGoal(args)).toMatchObject({ completed: true });
  } finally {
    await other.close();
  }
  expect(await typesOf(args)).toHaveLength(6);
});

test('nothing is run of a plan that people must approve', async () => {
  const args = argsOf({ ...sum, approval: { plan: 'required' } });
  expect(await worker.activities.beginGoal(args)).toMatchObject({ begun: null, completed: false });
  expect(await typesOf(args)).toEqual(['goal.submitted', 'plan.proposed']);
});

test('what is not quick is left to the workflow', async () => {
  const args = argsOf({
    objective: 'wait',
    plan: { tasks: [script('quick', '() => 1'), { id: 'nap', kind: 'wait', seconds: 1, after: ['quick'] }] },
  });
  expect(await worker.activities.beginGoal(args)).toMatchObject({
    begun: { outcomes: { quick: { status: 'completed' } }, deferred: [] },
    completed: false,
  });
});

test('a goal whose output cannot be made is not completed, and the workflow is told why when it asks', async () => {
  const args = argsOf({
    objective: 'x',
    plan: { tasks: [script('a', '() => 1')], output: '{{ tasks.a.output.no.such }}' },
  });
  expect(await worker.activities.beginGoal(args)).toMatchObject({ completed: false });
  expect(await worker.activities.completeGoal({ goal: args.goal })).toMatchObject({
    error: { code: 'ASTRA_EXPRESSION_FAILED' },
  });
});

test('a plan that was recorded is kept when its template has changed since', async () => {
  const templates = createTemplateStore(worker.pool);
  const template = { name: 'changing', description: 'x', params: {}, objective: 'x' };
  await templates.put(tenant, { ...template, plan: { tasks: [script('a', '() => 1'), script('b', '() => 1')] } });
  const args = argsOf({ template: { name: 'changing' } });
  await worker.activities.beginGoal(args);
  await templates.put(tenant, { ...template, plan: { tasks: [script('a', '() => 2'), script('c', '() => 2')] } });
  const again = await worker.activities.beginGoal(args);
  expect('outline' in again && again.outline.tasks.map(({ id }) => id)).toEqual(['a', 'b']);
});

test('a short map of quick items is part of the segment, with an event for each item', async () => {
  const args = argsOf({
    objective: 'map',
    input: { items },
    plan: { tasks: [mapOver(3, '(n) => n * n')], output: '{{ tasks.each.output }}' },
  });
  expect(await worker.activities.beginGoal(args)).toMatchObject({
    begun: { outcomes: { each: { status: 'completed' } } },
    completed: true,
  });
  const events = await eventsOf(args);
  expect(events.slice(3).map(({ type, taskId }) => `${type} ${taskId ?? ''}`)).toEqual([
    'task.started each',
    'task.completed each.0',
    'task.completed each.1',
    'task.completed each.2',
    'task.completed each',
    'goal.completed ',
  ]);
  expect(events.at(-1)?.data).toEqual({ output: [0, 1, 4] });
});

test('a map fails within the segment when too few of its items complete, and is null where they failed', async () => {
  const odd = "(n) => { if (n % 2) throw new Error('odd'); return n; }";
  const failing = argsOf({ objective: 'map', input: { items }, plan: { tasks: [mapOver(4, odd)] } });
  expect(await worker.activities.beginGoal(failing)).toMatchObject({
    begun: { outcomes: { each: { status: 'failed', error: { code: 'ASTRA_MAP_FAILED' } } } },
    completed: false,
  });
  const enough = argsOf({
    objective: 'map',
    input: { items },
    plan: { tasks: [mapOver(4, odd, { minSuccess: 0.5 })], output: '{{ tasks.each.output }}' },
  });
  expect(await worker.activities.beginGoal(enough)).toMatchObject({ completed: true });
  expect((await eventsOf(enough)).at(-1)?.data).toEqual({ output: [0, null, 2, null] });
});

test('a long map, and one with an item that is not quick, have segments of their own', async () => {
  const long = argsOf({ objective: 'map', input: { items }, plan: { tasks: [mapOver(501, '(n) => n')] } });
  expect(await worker.activities.beginGoal(long)).toMatchObject({ begun: { outcomes: {}, deferred: ['each'] } });
  const slow = argsOf({
    objective: 'map',
    input: { items },
    plan: { tasks: [mapOver(2, '(n) => { while (n === 1); return n; }')] },
  });
  expect(await worker.activities.beginGoal(slow)).toMatchObject({ begun: { outcomes: {}, deferred: ['each'] } });
  expect(await typesOf(slow)).toEqual(['goal.submitted', 'plan.proposed', 'plan.approved']);
});
