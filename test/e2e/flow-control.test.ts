import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Astra, GoalSubmission, GoalView, LimitDefinition } from '../../sdk/index.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { awaitGoal, untilLimitsAreKnown } from '../support/e2e/limits.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal } from '../support/e2e/temporal.ts';
import { until } from '../support/until.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const scope = 'goals:read goals:write approvals:write admin';

/** A tenant of the test's own with one limit, which is in force. */
async function limited(definition: Omit<LimitDefinition, 'key'>): Promise<Astra> {
  const astra = await system.clientFor({ tenant: `flow-${randomBytes(6).toString('hex')}`, scope });
  await astra.limits.put('per-customer', { key: 'goal.labels.customer', ...definition });
  await untilLimitsAreKnown(astra);
  return astra;
}

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const ofCustomer: Partial<GoalSubmission> = { labels: { customer: 'c-1' } };
const hooked = (rest: Partial<GoalSubmission> = {}): GoalSubmission => goalOf([hook], null, { ...ofCustomer, ...rest });
const submit = async (astra: Astra, rest?: Partial<GoalSubmission>): Promise<string> =>
  (await astra.goals.submit(hooked(rest))).id;
const letGo = (astra: Astra, goalId: string) => astra.goals.sendEvent(goalId, { name: 'go' });
const runs = (astra: Astra, goalId: string) => awaitTask(astra, goalId, 'hook', 'running');
const waits = (astra: Astra, goalId: string): Promise<GoalView> =>
  awaitGoal(astra, goalId, ({ waitingFor }) => waitingFor !== null);
const standing = async (astra: Astra) => {
  const { holding, waiting } = await astra.limits.get('per-customer');
  return { holding, waiting };
};

describe('goals beyond a limit that queues', () => {
  test('wait, say for what, and begin by priority, then by age', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const second = await submit(astra);
    await waits(astra, second);
    const urgent = await submit(astra, { priority: 1 });
    const waitingFor = { kind: 'concurrency', detail: 'per-customer', until: null };
    expect(await waits(astra, urgent)).toMatchObject({ status: 'accepted', startedAt: null, waitingFor });
    const { tasks } = await astra.goals.graph(urgent);
    expect(tasks).toMatchObject([{ id: 'hook', status: 'pending', waitingFor }]);
    expect(await standing(astra)).toEqual({ holding: 1, waiting: 2 });

    await letGo(astra, first);
    await runs(astra, urgent);
    expect((await astra.goals.get(second)).status).toBe('accepted');
    await letGo(astra, urgent);
    await runs(astra, second);
    await letGo(astra, second);
    const goal = await finishedGoal(astra, second);
    expect(goal.view).toMatchObject({ status: 'completed', waitingFor: null });
    expect(goal.typesOf(null)).toEqual([
      'goal.submitted',
      'plan.proposed',
      'plan.approved',
      'goal.queued',
      'goal.admitted',
      'goal.completed',
    ]);
    await until(async () => (await standing(astra)).holding === 0, 'all slots are given back');
  });

  test('are those of the same key alone', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const other = await submit(astra, { labels: { customer: 'c-2' } });
    const without = await submit(astra, { labels: {} });
    await runs(astra, other);
    await runs(astra, without);
    for (const id of [first, other, without]) await letGo(astra, id);
    for (const id of [first, other, without]) await finishedGoal(astra, id);
  });

  test('that are cancelled leave the line to the next', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const second = await submit(astra);
    await waits(astra, second);
    const third = await submit(astra);
    await waits(astra, third);
    await astra.goals.cancel(second, { reason: 'too slow' });
    const cancelled = await finishedGoal(astra, second);
    expect(cancelled.view).toMatchObject({ status: 'cancelled', waitingFor: null });
    await letGo(astra, first);
    await runs(astra, third);
    await letGo(astra, third);
    await finishedGoal(astra, third);
  });

  test('begin when the limit is raised, and all of them when it is deleted', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const others = [await submit(astra), await submit(astra), await submit(astra)];
    for (const id of others) await waits(astra, id);
    const raised: LimitDefinition = { key: 'goal.labels.customer', concurrency: 2, strategy: 'queue' };
    await astra.limits.put('per-customer', raised);
    await until(async () => (await standing(astra)).holding === 2, 'one more has begun');
    expect(await standing(astra)).toEqual({ holding: 2, waiting: 2 });
    await astra.limits.delete('per-customer');
    for (const id of [first, ...others]) await runs(astra, id);
    for (const id of [first, ...others]) await letGo(astra, id);
    for (const id of [first, ...others]) await finishedGoal(astra, id);
  });

  test('begin although an operator has terminated the goal before them', async () => {
    await using temporal = await connectTemporal(system.env);
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const second = await submit(astra);
    await waits(astra, second);
    await temporal.client.workflow.getHandle(temporal.workflowId(first)).terminate('gone');
    await until(async () => (await astra.goals.get(second)).status === 'running', 'the next has begun', {
      timeoutSeconds: 60,
    });
    await letGo(astra, second);
    await finishedGoal(astra, second);
  });

  test('outlive the worker, as those do that hold slots', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const first = await submit(astra);
    await runs(astra, first);
    const second = await submit(astra);
    await waits(astra, second);
    system.kill('worker');
    await letGo(astra, first);
    await runs(astra, second);
    await letGo(astra, second);
    for (const id of [first, second]) expect((await finishedGoal(astra, id)).view.status).toBe('completed');
  });

  test('wait as well when they are retried, and when they are forks', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const [ended, holder] = [await submit(astra), await submit(astra)];
    await runs(astra, ended);
    await astra.goals.cancel(ended);
    await runs(astra, holder);
    await awaitGoal(astra, ended, 'cancelled');
    await astra.goals.retry(ended, { tasks: ['hook'] });
    expect(await waits(astra, ended)).toMatchObject({ status: 'accepted', run: 2 });
    const { id: fork } = await astra.goals.fork(holder, { tasks: ['hook'] });
    await waits(astra, fork);
    expect(await standing(astra)).toEqual({ holding: 1, waiting: 2 });
    for (const [before, next] of [
      [holder, ended],
      [ended, fork],
    ] as const) {
      await letGo(astra, before);
      await runs(astra, next);
    }
    await letGo(astra, fork);
    for (const id of [ended, fork]) await awaitGoal(astra, id, 'completed');
    await until(async () => (await standing(astra)).holding === 0, 'all slots are given back');
  });

  test('hold no slot while people think about their plan', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const asked = await submit(astra, { approval: { plan: 'required' } });
    const approval = await awaitApproval(astra, asked);
    const other = await submit(astra);
    await runs(astra, other);
    await astra.approvals.decide(approval.id, { decision: 'approved' });
    await waits(astra, asked);
    await letGo(astra, other);
    await runs(astra, asked);
    await letGo(astra, asked);
    await finishedGoal(astra, asked);
  });

  test('may have sub-goals, which run on their slots', async () => {
    const astra = await limited({ concurrency: 1, strategy: 'queue' });
    const goal = await runGoal(
      astra,
      goalOf([child('child', goalOf([echo('a', 1)], 'done', ofCustomer))], '{{ tasks.child.output }}', {
        ...ofCustomer,
        priority: 1,
      }),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: 'done' });
    // As urgent as the goal above it.
    expect((await astra.goals.get(goal.task('child').childGoalId!)).priority).toBe(1);
  });
});

test('goals beyond a limit that rejects fail, and run nothing', async () => {
  const astra = await limited({ concurrency: 1, strategy: 'reject' });
  const first = await submit(astra);
  await runs(astra, first);
  const second = await finishedGoal(astra, await submit(astra));
  expect(second.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_LIMIT_REACHED' } });
  expect(second.view.error?.message).toContain('"per-customer" allows 1 at once');
  expect(second.events.map(({ type }) => type)).toEqual(['goal.submitted', 'goal.failed']);
  await letGo(astra, first);
  await finishedGoal(astra, first);
  await until(async () => (await standing(astra)).holding === 0, 'the slot is given back');
  const third = await submit(astra);
  await runs(astra, third);
  await letGo(astra, third);
  expect((await finishedGoal(astra, third)).view.status).toBe('completed');
});

test('for a goal beyond a limit that cancels the oldest, the oldest is cancelled', async () => {
  const astra = await limited({ concurrency: 2, strategy: 'cancel_oldest' });
  const first = await submit(astra);
  await runs(astra, first);
  const second = await submit(astra);
  await runs(astra, second);
  const third = await submit(astra);
  await runs(astra, third);
  const cancelled = await finishedGoal(astra, first);
  expect(cancelled.view.status).toBe('cancelled');
  expect(cancelled.events.at(-1)?.data).toEqual({
    reason: `Replaced by ${third}: the limit "per-customer" allows 2 at once.`,
  });
  expect((await astra.goals.get(second)).status).toBe('running');
  for (const id of [second, third]) await letGo(astra, id);
  for (const id of [second, third]) expect((await finishedGoal(astra, id)).view.status).toBe('completed');
});

test('goals beyond a rate begin when their time has come, which they tell', async () => {
  const astra = await limited({ rate: { limit: 2, perSeconds: 6 }, strategy: 'queue' });
  const quick = goalOf([echo('a', 1)], null, ofCustomer);
  for (const _ of [1, 2]) expect((await runGoal(astra, quick)).typesOf(null)).not.toContain('goal.queued');
  const third = await runGoal(astra, quick, async (id) => {
    const { waitingFor } = await waits(astra, id);
    expect(waitingFor).toMatchObject({ kind: 'rate_limit', detail: 'per-customer' });
  });
  const queued = third.events.find(({ type }) => type === 'goal.queued');
  const until = queued?.type === 'goal.queued' ? Date.parse(queued.data.waitingFor.until!) : NaN;
  const begun = third.events.find(({ type }) => type === 'goal.admitted');
  expect(Date.parse(begun!.at)).toBeGreaterThanOrEqual(until - 20);
  expect(third.view.status).toBe('completed');
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
