import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { BudgetAmounts } from '../../domain/schemas/budget.ts';
import { createBudgetLimits, type BudgetLimits } from '../../stores/postgres/budget-limits.ts';
import { createBudgetLedger, type BudgetLedger } from '../../stores/postgres/budgets.ts';
import { rebuildGoal } from '../../stores/postgres/rebuild-goal.ts';
import { createLedgerModel } from '../support/budgets/ledger-model.ts';
import { ledgerScopes, ledgerSteps, ledgerTasks, type LedgerStep } from '../support/budgets/ledger-steps.ts';
import { begin, completed, createRecordBench, draft, tool, type Process, type RecordBench } from './record-support.ts';

let bench: RecordBench;
let one: Process;
let two: Process;
let ledger: BudgetLedger;
let limits: BudgetLimits;
beforeAll(async () => {
  bench = await createRecordBench();
  [one, two] = await Promise.all([bench.start(), bench.start()]);
  ledger = createBudgetLedger(one.pool);
  limits = createBudgetLimits(one.pool);
});
afterAll(() => bench.stop());

const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: true };
const scopesOf = ({ goalId }: GoalRef): string[] => ['tenant', 'agent:scout', `goal:${goalId}`];
/** A goal of a tenant of its own with these limits, and tasks t0, t1 and so on. */
async function startGoal(limit: BudgetAmounts, tasks = 1): Promise<GoalRef> {
  const goal = { ...bench.newGoal(), tenant: `t-${randomBytes(6).toString('hex')}` };
  const ids = Array.from({ length: tasks }, (_, index) => `t${index}`);
  await begin(
    one.recorder,
    goal,
    ids.map((id) => tool(id)),
    { budget: limit, budgetScopes: scopesOf(goal).slice(1) },
  );
  return goal;
}
const settled = (taskId: string, actual: BudgetAmounts | null, attempt = 1) =>
  draft('budget.settled', { actual }, { taskId, attempt });
const retrying = (taskId: string, attempt: number) =>
  draft('task.retrying', { error, nextAttemptAt: new Date().toISOString() }, { taskId, attempt });

describe('a reservation', () => {
  test('counts in every budget of its goal, and is settled with the end of its task', async () => {
    const goal = await startGoal({ usd: '1.00', tasks: 5 });
    await limits.put(goal.tenant, 'tenant', { usd: '10' });
    const call = { goal, taskId: 't0' };
    const wanted = { attempt: 1, scopes: scopesOf(goal), amounts: { usd: '0.30', tokens: 100, tasks: 1 } };
    expect(await ledger.reserve(call, wanted)).toEqual([]);
    expect(await ledger.reservedBy(call)).toBe(1);
    expect(await limits.get(goal.tenant, 'tenant')).toMatchObject({ reserved: { usd: '0.30' }, spent: { usd: '0' } });
    await one.recorder.record(goal, [settled('t0', { usd: '0.125', tokens: 90, tasks: 1 }), completed('t0')]);
    expect(await ledger.reservedBy(call)).toBeNull();
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`)).toEqual({
      scope: `goal:${goal.goalId}`,
      limit: { usd: '1.00', tasks: 5 },
      reserved: { usd: '0.00', tasks: 0 },
      spent: { usd: '0.125', tasks: 1 },
    });
    expect(await limits.get(goal.tenant, 'tenant')).toMatchObject({ spent: { usd: '0.125' } });
    expect(await limits.get(goal.tenant, 'agent:scout'), 'nobody has limited it').toMatchObject({
      limit: {},
      spent: {},
    });
  });

  test('is made in all budgets or in none, and tells which refuse and whether they are used up', async () => {
    const goal = await startGoal({ usd: '1.00' }, 2);
    await limits.put(goal.tenant, 'tenant', { usd: '0.50' });
    const scopes = scopesOf(goal);
    const reserve = (taskId: string, usd: string) =>
      ledger.reserve({ goal, taskId }, { attempt: 1, scopes, amounts: { usd } });
    expect(await reserve('t0', '0.40')).toEqual([]);
    expect(await reserve('t1', '0.20')).toEqual([
      { scope: 'tenant', unit: 'usd', limit: '0.50', spent: '0', exhausted: false },
    ]);
    expect(await reserve('t1', '2')).toMatchObject([
      { scope: `goal:${goal.goalId}`, exhausted: true },
      { scope: 'tenant', exhausted: true },
    ]);
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`)).toMatchObject({ reserved: { usd: '0.40' } });
    expect(await ledger.takeWaiting(goal.tenant, 'tenant')).toEqual([goal.goalId]);
    expect(await ledger.takeWaiting(goal.tenant, 'tenant')).toEqual([]);
  });

  test('that is made again counts once, also when the attempt was lost and another takes it over', async () => {
    const goal = await startGoal({ usd: '1.00' });
    const call = { goal, taskId: 't0' };
    const reserve = (attempt: number, usd: string) =>
      ledger.reserve(call, { attempt, scopes: scopesOf(goal), amounts: { usd } });
    for (const attempt of [1, 1, 2]) expect(await reserve(attempt, '0.60')).toEqual([]);
    // Two attempts that both think that they are the only one.
    expect(await Promise.all(Array.from({ length: 8 }, () => reserve(3, '0.60')))).toEqual(Array(8).fill([]));
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`)).toMatchObject({ reserved: { usd: '0.60' } });
    expect(await ledger.reservedBy(call)).toBe(3);
    await one.recorder.record(goal, [settled('t0', null, 3), completed('t0')]);
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`), 'what nobody knows counts whole').toMatchObject({
      reserved: { usd: '0.00' },
      spent: { usd: '0.60' },
    });
  });

  test('of tasks that reserve for the first time at the same time counts once each', async () => {
    const goal = await startGoal({ usd: '1.00' });
    const other = createBudgetLedger(two.pool);
    const reserve = (from: BudgetLedger) =>
      from.reserve({ goal, taskId: 't0' }, { attempt: 1, scopes: scopesOf(goal), amounts: { usd: '0.10' } });
    await Promise.all([ledger, other, ledger, other, ledger, other].map(reserve));
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`)).toMatchObject({ reserved: { usd: '0.10' } });
  });

  test('is settled once, whoever records the end again', async () => {
    const goal = await startGoal({ usd: '1.00' });
    await ledger.reserve({ goal, taskId: 't0' }, { attempt: 1, scopes: scopesOf(goal), amounts: { usd: '0.60' } });
    const end = [settled('t0', { usd: '0.50' }), completed('t0')];
    await Promise.all([one.recorder.record(goal, end), two.recorder.record(goal, end)]);
    await rebuildGoal(one.pool, goal);
    expect(await limits.get(goal.tenant, `goal:${goal.goalId}`)).toMatchObject({
      reserved: { usd: '0.00' },
      spent: { usd: '0.50' },
    });
  });
});

describe('a limit', () => {
  test('that an approval raises rises once, by what it was at first or to what people wrote, and never falls', async () => {
    const goal = await startGoal({ usd: '1.00' });
    const scope = `goal:${goal.goalId}`;
    await ledger.reserve({ goal, taskId: 't0' }, { attempt: 1, scopes: [scope], amounts: { usd: '1.50' } });
    expect(await ledger.question(goal)).toEqual({
      scope,
      limit: { usd: '1.00' },
      spent: { usd: '0' },
      raiseTo: { usd: '2.00' },
    });
    const raised = (approvalId: string, usd: string) => draft('budget.raised', { approvalId, scope, limit: { usd } });
    for (const recorder of [one.recorder, two.recorder]) await recorder.record(goal, [raised('apr_1', '2.00')]);
    await one.recorder.record(goal, [raised('apr_2', '1.75')]);
    expect(await limits.get(goal.tenant, scope)).toMatchObject({ limit: { usd: '2.00' } });
    expect(await ledger.question(goal), 'there is room now').toBeNull();
  });

  test('that is taken away counts nothing any more, and counts from nothing when it comes back', async () => {
    const goal = await startGoal({ usd: '1.00' }, 2);
    await limits.put(goal.tenant, 'tenant', { usd: '5', tasks: 9 });
    const reserve = (taskId: string) =>
      ledger.reserve({ goal, taskId }, { attempt: 1, scopes: ['tenant'], amounts: { usd: '0.50', tasks: 1 } });
    await reserve('t0');
    await limits.put(goal.tenant, 'tenant', { tasks: 9 });
    await one.recorder.record(goal, [settled('t0', { usd: '0.50', tasks: 1 }), completed('t0')]);
    await limits.put(goal.tenant, 'tenant', { usd: '5', tasks: 9 });
    expect(await limits.get(goal.tenant, 'tenant')).toMatchObject({
      reserved: { usd: '0', tasks: 0 },
      spent: { usd: '0', tasks: 1 },
    });
    expect(await limits.standing()).toContainEqual({ tenant: goal.tenant, scope: 'tenant' });
    await limits.put(goal.tenant, 'tenant', {});
    expect(await limits.standing()).not.toContainEqual({ tenant: goal.tenant, scope: 'tenant' });
  });
});

test('the table does what the model does, whatever happens to it', async () => {
  await fc.assert(
    fc.asyncProperty(ledgerSteps, async (steps) => {
      const goal = await startGoal({ usd: '1' }, ledgerTasks);
      const model = createLedgerModel();
      const attempts = new Map<number, number>();
      for (const scope of ledgerScopes) {
        model.set(scope, { tokens: 100 });
        await limits.put(goal.tenant, scope, { tokens: 100 });
      }
      for (const step of steps) await applyStep(step, { goal, model, attempts });
      for (const scope of ledgerScopes) {
        const { limit, reserved, spent } = await limits.get(goal.tenant, scope);
        const row = { limit: limit.tokens, reserved: reserved.tokens, spent: spent.tokens };
        expect(row).toEqual(model.row(scope, 'tokens'));
      }
    }),
    { numRuns: 40 },
  );
});

interface Run {
  readonly goal: GoalRef;
  readonly model: ReturnType<typeof createLedgerModel>;
  readonly attempts: Map<number, number>;
}

async function applyStep(step: LedgerStep, { goal, model, attempts }: Run): Promise<void> {
  if (step.kind === 'limit') {
    model.set(step.scope, { tokens: step.limit });
    return limits.put(goal.tenant, step.scope, { tokens: step.limit });
  }
  const taskId = `t${step.task}`;
  const attempt = attempts.get(step.task) ?? 1;
  if (step.kind === 'reserve') {
    const { scopes } = step;
    const amounts = { tokens: step.amount };
    const refusals = await ledger.reserve({ goal, taskId }, { attempt, scopes, amounts });
    expect(refusals.map(({ scope, unit }) => `${scope} ${unit}`)).toEqual(model.reserve(taskId, scopes, amounts));
    return;
  }
  const actual = step.share === null ? null : { tokens: step.share };
  model.settle(taskId, actual);
  attempts.set(step.task, attempt + 1);
  await one.recorder.record(goal, [settled(taskId, actual, attempt), retrying(taskId, attempt)]);
}

/**
 * Makes an error of any statement that exceeds a limit, if only for a moment. Not a CHECK: Postgres looks at that also
 * with the outdated row that an update finds before it goes on to the current one.
 */
const watchLimits = `
CREATE FUNCTION require_within() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.reserved + NEW.spent > NEW.ceiling OR NEW.reserved < 0 THEN RAISE 'exceeded: %', NEW; END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER within AFTER UPDATE ON budgets FOR EACH ROW EXECUTE FUNCTION require_within()`;

test('two hundred spenders at once never exceed a limit, and leave nothing reserved', async () => {
  const spenders = 200;
  const goal = await startGoal({ usd: '8.00' }, spenders);
  await limits.put(goal.tenant, 'tenant', { usd: '10.00', tasks: 150 });
  await limits.put(goal.tenant, 'agent:scout', { usd: '9.00' });
  await one.pool.query(watchLimits);
  const processes = [one, two].map(({ pool, recorder }) => ({ recorder, ledger: createBudgetLedger(pool) }));
  let granted = 0;
  const spend = async (index: number): Promise<void> => {
    const { recorder, ledger: own } = processes[index % processes.length]!;
    const taskId = `t${index}`;
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const amounts = { usd: '0.09', tasks: 1 };
      const refusals = await own.reserve({ goal, taskId }, { attempt, scopes: scopesOf(goal), amounts });
      if (refusals.length > 0) continue;
      granted += 1;
      const actual = { usd: `0.0${1 + (index % 9)}`, tasks: attempt === 3 ? 1 : 0 };
      await recorder.record(goal, [settled(taskId, actual, attempt), retrying(taskId, attempt)]);
    }
  };
  await Promise.all(Array.from({ length: spenders }, (_, index) => spend(index)));
  await one.pool.query('DROP TRIGGER within ON budgets');
  expect(granted, 'eight dollars are 88 reservations').toBeGreaterThanOrEqual(88);
  const budget = await limits.get(goal.tenant, `goal:${goal.goalId}`);
  expect(Number(budget.reserved.usd)).toBe(0);
  expect(Number(budget.spent.usd)).toBeLessThanOrEqual(8);
  for (const scope of ['tenant', 'agent:scout']) {
    const { reserved, spent } = await limits.get(goal.tenant, scope);
    expect([Number(reserved.usd), spent.usd], scope).toEqual([0, budget.spent.usd]);
  }
});
