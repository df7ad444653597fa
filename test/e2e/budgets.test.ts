import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Astra, Budget, BudgetAmounts, BudgetScope, GoalSubmission } from '../../sdk/index.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { child, echo, goalOf, type Task, type Tasks } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

const toolModules = join(import.meta.dirname, '../support/budgets/spending-tools.ts');
let system: System;
let astra: Astra;
beforeAll(async () => {
  system = await startSystem({ env: { ASTRA_TOOL_MODULES: toolModules } });
  astra = system.astra;
});
afterAll(() => system.stop());

interface Spending {
  readonly usd: string;
  readonly estimate?: string;
  readonly ms?: number;
  readonly failures?: number;
}
const call = (input: Spending) => ({ kind: 'tool', tool: 'test.spend', input: { ...input } }) as const;
const spend = (id: string, usd: string, rest: Partial<Task> & { input?: Omit<Spending, 'usd'> } = {}): Task => {
  const { input = {}, ...others } = rest;
  // Of a tool task: what is given besides is among its fields.
  return { id, ...call({ usd, ...input }), retry: { initialIntervalSeconds: 0.05 }, ...others } as Task;
};
const withBudget = (budget: BudgetAmounts, tasks: Tasks, rest: Partial<GoalSubmission> = {}): GoalSubmission =>
  goalOf(tasks, undefined, { budget, ...rest });
const goalBudget = (id: string): Promise<Budget> => astra.budgets.get(`goal:${id}`);
const inOrder = (...amounts: readonly string[]): Task[] =>
  amounts.map((usd, index) => spend(`t${index}`, usd, index === 0 ? {} : { after: [`t${index - 1}`] }));
const count = (goal: FinishedGoal, type: string): number => goal.events.filter((event) => event.type === type).length;

describe('a budget of the goal itself', () => {
  test('counts what its calls cost, each with a reservation before it', async () => {
    const goal = await runGoal(astra, withBudget({ usd: '1.00', tokens: 100, seconds: 60 }, inOrder('0.25', '0.10')));
    expect(goal.view).toMatchObject({
      status: 'completed',
      budget: { usd: '1.00', tokens: 100, seconds: 60 },
      usage: { usd: '0.35', tokens: 20 },
    });
    expect(goal.typesOf('t0').filter((type) => type.startsWith('budget.'))).toEqual([
      'budget.reserved',
      'budget.settled',
    ]);
    const { limit, reserved, spent } = await goalBudget(goal.id);
    expect(limit).toEqual({ usd: '1.00', tokens: 100, seconds: 60 });
    expect({ usd: Number(reserved.usd), seconds: reserved.seconds }).toEqual({ usd: 0, seconds: 0 });
    expect(spent).toMatchObject({ usd: '0.35', tokens: 20 });
    expect(spent.seconds).toBeLessThan(10);
  });

  test('counts quick tasks and items of maps one by one', async () => {
    const map: Task = {
      id: 'each',
      kind: 'map',
      over: '[1, 2, 3]',
      task: { kind: 'tool', tool: 'code.javascript', input: { code: '(n) => n', input: '{{ item }}' } },
    };
    const goal = await runGoal(
      astra,
      withBudget({ tasks: 10 }, [echo('a', 1), echo('b', '{{ tasks.a.output }}'), map]),
    );
    expect(goal.view.status).toBe('completed');
    expect(goal.task('each').output).toEqual([1, 2, 3]);
    expect(await goalBudget(goal.id)).toMatchObject({ reserved: { tasks: 0 }, spent: { tasks: 5 } });
  });

  test('counts each attempt’s cost, and a task once', async () => {
    const goal = await runGoal(
      astra,
      withBudget({ usd: '1.00', tasks: 3 }, [spend('a', '0.20', { input: { failures: 2 } })]),
    );
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 3 });
    expect(await goalBudget(goal.id)).toMatchObject({ spent: { usd: '0.60', tasks: 1 } });
  });

  test('that is used up parks the task and asks once; approval raises it by what it was, and the task goes on', async () => {
    const submission = withBudget({ usd: '1.00' }, inOrder('0.60', '0.60', '0.30'));
    const goal = await runGoal(astra, submission, async (id) => {
      const parked = await awaitTask(astra, id, 't1', 'parked');
      expect(parked.waitingFor).toMatchObject({
        kind: 'budget',
        detail: expect.stringContaining('0.60 of 1.00') as string,
      });
      const approval = await awaitApproval(astra, id);
      expect(approval).toMatchObject({
        kind: 'budget',
        taskId: null,
        input: { scope: `goal:${id}`, limit: { usd: '1.00' }, spent: { usd: '0.60' }, raiseTo: { usd: '2.00' } },
      });
      expect((await astra.goals.get(id)).status).toBe('running');
      await system.restartWorker();
      await astra.approvals.decide(approval.id, { decision: 'approved' });
    });
    expect(goal.view).toMatchObject({ status: 'completed', usage: { usd: '1.50' } });
    expect(await goalBudget(goal.id)).toMatchObject({ limit: { usd: '2.00' }, spent: { usd: '1.50' } });
    expect(goal.typesOf('t1')).toEqual(expect.arrayContaining(['task.parked', 'task.unparked', 'task.completed']));
    for (const type of ['budget.exhausted', 'task.parked', 'approval.requested', 'budget.raised']) {
      expect(count(goal, type), type).toBe(1);
    }
  });

  test('is raised to what the approver writes, if that is a budget', async () => {
    const goal = await runGoal(astra, withBudget({ usd: '0.50' }, inOrder('0.40', '0.40')), async (id) => {
      const approval = await awaitApproval(astra, id);
      const decide = (editedInput: { readonly usd: string }) =>
        astra.approvals.decide(approval.id, { decision: 'approved', editedInput });
      await expect(decide({ usd: 'plenty' })).rejects.toMatchObject({
        code: 'ASTRA_BODY_INVALID',
        faults: [{ pointer: '/editedInput/usd' }],
      });
      await decide({ usd: '0.85' });
    });
    expect(goal.view.status).toBe('completed');
    expect(await goalBudget(goal.id)).toMatchObject({ limit: { usd: '0.85' }, spent: { usd: '0.80' } });
  });

  test('that nobody raises fails what is parked', async () => {
    const tasks = [spend('first', '0.40'), spend('late', '0.40', { after: ['first'], onFailure: 'continue' })];
    const goal = await runGoal(astra, withBudget({ usd: '0.50' }, tasks), async (id) => {
      const approval = await awaitApproval(astra, id);
      await astra.approvals.decide(approval.id, { decision: 'rejected', comment: 'enough' });
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('late')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_BUDGET_EXHAUSTED' } });
    expect(await goalBudget(goal.id)).toMatchObject({ spent: { usd: '0.40' } });
  });

  test('counts a call once whose worker was lost', async () => {
    const goal = await runGoal(
      astra,
      withBudget({ usd: '0.15' }, [spend('a', '0.10', { input: { ms: 2_000 } })]),
      async (id) => {
        await awaitTask(astra, id, 'a', 'running');
        system.kill('worker');
      },
    );
    expect(goal.task('a')).toMatchObject({ status: 'completed', attempt: 2 });
    const { reserved, spent } = await goalBudget(goal.id);
    expect([Number(reserved.usd), spent.usd]).toEqual([0, '0.10']);
  });
});

describe('what sub-goals spend', () => {
  test('counts in the budgets above them, and they ask for these', async () => {
    const inner = withBudget({ usd: '5.00' }, inOrder('0.60', '0.60'));
    const goal = await runGoal(astra, withBudget({ usd: '1.00' }, [child('sub', inner)]), async (id) => {
      const { childGoalId } = await awaitTask(astra, id, 'sub', (task) => task.childGoalId !== null);
      const approval = await awaitApproval(astra, childGoalId!);
      expect(approval.input).toMatchObject({ scope: `goal:${id}`, raiseTo: { usd: '2.00' } });
      await astra.approvals.decide(approval.id, { decision: 'approved' });
    });
    expect(goal.view.status).toBe('completed');
    expect(await goalBudget(goal.id)).toMatchObject({ limit: { usd: '2.00' }, spent: { usd: '1.20' } });
    expect(await goalBudget(goal.task('sub').childGoalId!)).toMatchObject({
      limit: { usd: '5.00' },
      spent: { usd: '1.20' },
    });
  });
});

describe('a budget of many goals', () => {
  /** A tenant with this budget, in force. */
  async function tenantWith(scope: Exclude<BudgetScope, `goal:${string}`>, limit: BudgetAmounts, agentId?: string) {
    const tenant = `budget-${process.pid}-${Date.now()}`;
    const [admin, user] = await Promise.all([
      system.clientFor({ tenant, scope: 'admin' }),
      system.clientFor({ tenant }),
    ]);
    await admin.budgets.set(scope, limit);
    await until(async () => {
      await user.goals.result(
        (await user.goals.submit(goalOf([echo('probe', 1)], null, agentId ? { agentId } : {}))).id,
      );
      return (await user.budgets.get(scope)).spent.tasks !== 0;
    }, 'the budget is in force');
    return { admin, user };
  }

  test('parks what exceeds the tenant’s, and goes on when it is raised', async () => {
    const { admin, user } = await tenantWith('tenant', { usd: '0.50', tasks: 1_000 });
    const { id } = await user.goals.submit(goalOf(inOrder('0.40', '0.40')));
    const { waitingFor } = await awaitTask(user, id, 't1', 'parked');
    expect(waitingFor?.detail).toContain('usd of tenant');
    expect((await user.approvals.list({ goalId: id })).items, 'nobody of the goal can raise it').toEqual([]);
    const raisedAt = Date.now();
    await admin.budgets.set('tenant', { usd: '1.00', tasks: 1_000 });
    const goal = await finishedGoal(user, id);
    expect(Date.now() - raisedAt, 'it was told, before it asked again by itself').toBeLessThan(4_000);
    expect(goal.view.status).toBe('completed');
    expect(count(goal, 'budget.exhausted')).toBe(1);
    expect((await user.budgets.get('tenant')).spent.usd).toBe('0.80');
  });

  test('of an agent counts its goals, and no others', async () => {
    const { admin, user } = await tenantWith('agent:scout', { usd: '0.50', tasks: 1_000 }, 'scout');
    const other = await runGoal(user, goalOf(inOrder('0.40', '0.40'), undefined, { agentId: 'other' }));
    expect(other.view).toMatchObject({ status: 'completed', agentId: 'other' });
    const { id } = await user.goals.submit(goalOf(inOrder('0.40', '0.40'), undefined, { agentId: 'scout' }));
    await awaitTask(user, id, 't1', 'parked');
    await admin.budgets.set('agent:scout', {});
    expect((await finishedGoal(user, id)).view.status).toBe('completed');
  });
});

describe('two hundred parallel calls', () => {
  const wideMap = (input: Spending, maxConcurrency: number): Task => ({
    id: 'each',
    kind: 'map',
    over: 'goal.input.items',
    maxConcurrency,
    task: call(input),
  });
  const items = Array.from({ length: 200 }, (_, index) => index);
  const total = ({ reserved, spent }: Budget): number => Number(reserved.usd) + Number(spent.usd);

  test('never exceed their budget; the rest of them goes on when it is raised', async () => {
    const submission = withBudget({ usd: '4.00' }, [wideMap({ usd: '0.05', ms: 20 }, 100)], { input: { items } });
    const goal = await runGoal(astra, submission, async (id) => {
      let most = 0;
      await until(async () => {
        const budget = await goalBudget(id).catch(() => null);
        most = Math.max(most, budget ? total(budget) : 0);
        return budget?.spent.usd === '4.00';
      }, 'the budget is used up');
      expect(most).toBeLessThanOrEqual(4);
      const approval = await awaitApproval(astra, id);
      await astra.approvals.decide(approval.id, { decision: 'approved', editedInput: { usd: '10.00' } });
    });
    expect(goal.view.status).toBe('completed');
    expect(goal.task('each').map).toEqual({ total: 200, completed: 200, failed: 0 });
    expect(await goalBudget(goal.id)).toMatchObject({ limit: { usd: '10.00' }, spent: { usd: '10.00' } });
  });

  test('that cost less than they reserve take turns, and nobody is asked', async () => {
    const submission = withBudget({ usd: '4.00' }, [wideMap({ usd: '0.01', estimate: '0.20' }, 50)], {
      input: { items },
    });
    const goal = await runGoal(astra, submission);
    expect(goal.view.status).toBe('completed');
    expect(goal.events.filter(({ type }) => type === 'budget.exhausted' || type.startsWith('approval.'))).toEqual([]);
    expect(await goalBudget(goal.id)).toMatchObject({ spent: { usd: '2.00' } });
  });
});
