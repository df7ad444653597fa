import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Task } from '../../domain/schemas/plan.ts';
import { definePlanner, type ReplanContext } from './define-planner.ts';
import { fallbackPlanner } from './fallback-planner.ts';
import { loadPlannerModules } from './load-planner-modules.ts';
import { createPlannerRegistry, requirePlanner } from './planner-registry.ts';

const wait = (id: string, rest: Partial<Extract<Task, { kind: 'wait' }>> = {}): Task => ({
  id,
  kind: 'wait',
  seconds: 1,
  ...rest,
});
const support = (name: string) => join(import.meta.dirname, '../../test/support', name);
const contextOf = (about: Partial<ReplanContext>): ReplanContext => ({
  tenant: 'default',
  goalId: 'gol_0000000000000001' as GoalId,
  objective: 'try',
  input: {},
  params: {},
  fallbackPlan: null,
  plan: { tasks: [wait('done'), wait('failed'), wait('next', { after: ['failed'] })] },
  tasks: [
    { id: 'done', status: 'completed', output: 1, error: null },
    { id: 'failed', status: 'failed', error: { code: 'X', message: 'it broke', retryable: false } },
    { id: 'next', status: 'pending', error: null },
  ],
  failure: { taskId: 'failed', code: 'X', message: 'it broke' },
  attempt: 1,
  limit: 3,
  refusal: null,
  signal: new AbortController().signal,
  ...about,
});

describe('a planner', () => {
  test('has a name and a time that make sense', () => {
    const replan = () => null;
    expect(definePlanner({ name: 'mine', replan })).toMatchObject({ name: 'mine', timeoutSeconds: 60 });
    const refused = expect.objectContaining({ code: 'ASTRA_PARAMETER_INVALID' }) as Error;
    expect(() => definePlanner({ name: 'Not mine', replan })).toThrow(refused);
    for (const timeoutSeconds of [0, -1, Number.NaN, 541])
      expect(() => definePlanner({ name: 'mine', timeoutSeconds, replan })).toThrow(refused);
  });

  test('is found by its name, which no other has', () => {
    const mine = definePlanner({ name: 'mine', replan: () => null });
    const planners = createPlannerRegistry([mine]);
    requirePlanner(planners, { onTaskFailure: 'replan', planner: 'mine' });
    requirePlanner(planners, { objective: 'x' });
    expect(() => requirePlanner(planners, { onTaskFailure: 'replan', planner: 'yours' })).toThrow(
      expect.objectContaining({ code: 'ASTRA_REPLAN_FAILED' }),
    );
    expect(() => createPlannerRegistry([mine, mine])).toThrow(/Two planners are called mine/);
  });

  test('comes from a module that exports it', async () => {
    const loaded = await loadPlannerModules([support('e2e/planners.ts')]);
    expect(loaded.map(({ name }) => name)).toContain('mender');
    await expect(loadPlannerModules([support('own-tools.ts')])).rejects.toMatchObject({
      code: 'ASTRA_PARAMETER_INVALID',
      message: expect.stringMatching(/^ASTRA_PLANNER_MODULES: .* must export `planners`/) as string,
    });
  });
});

describe('the fallback planner', () => {
  const replan = (about: Partial<ReplanContext>) => fallbackPlanner.replan(contextOf(about));

  test('has nothing to propose without a fallback plan', async () => {
    expect(await replan({})).toBeNull();
  });

  test('keeps what has finished and puts the fallback plan in the place of the rest', async () => {
    const fallbackPlan = { tasks: [wait('plain', { after: ['done'] })], output: 'plain' };
    expect(await replan({ fallbackPlan })).toMatchObject({
      plan: { tasks: [wait('done'), wait('plain', { after: ['done'] })], output: 'plain' },
      reason: expect.stringMatching(/"failed" failed with X/) as string,
    });
  });

  test('takes a finished task as the fallback plan has it, for validation to compare', async () => {
    const fallbackPlan = { tasks: [wait('done', { seconds: 9 })] };
    expect(await replan({ fallbackPlan })).toMatchObject({ plan: { tasks: [wait('done', { seconds: 9 })] } });
  });

  test('keeps a task that may fail and has, for others depend on it', async () => {
    const plan = { tasks: [wait('failed'), wait('optional', { onFailure: 'continue' })] };
    const tasks = plan.tasks.map(({ id }) => ({ id, status: 'failed', error: null }) as const);
    const fallbackPlan = { tasks: [wait('plain')] };
    expect(await replan({ plan, tasks, fallbackPlan })).toMatchObject({
      plan: { tasks: [wait('optional', { onFailure: 'continue' }), wait('plain')] },
    });
  });

  test('falls back once', async () => {
    expect(await replan({ fallbackPlan: { tasks: [wait('failed')] } })).toBeNull();
  });
});
