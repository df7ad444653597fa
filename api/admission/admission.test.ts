import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { goalIdSchema, type GoalId } from '../../domain/schemas/common.ts';
import { createAdmission } from './admission.ts';
import { createBacklog } from './backlog.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

let goals = 0;
const newGoal = (tenant = 'a'): GoalRef => ({
  tenant,
  goalId: goalIdSchema.parse(`gol_${String((goals += 1)).padStart(20, '0')}`),
});

/** Workers that begin the oldest goals when they are told to. */
function createSystem({ maxQueueSeconds = 10 } = {}) {
  const begun = new Set<GoalId>();
  const accepted: GoalRef[] = [];
  const state = { postgresAway: false, asked: 0 };
  const backlog = createBacklog({
    findBegun: async (asked) => {
      state.asked += 1;
      if (state.postgresAway) throw new Error('away');
      return new Set(asked.map(({ goalId }) => goalId).filter((id) => begun.has(id)));
    },
  });
  const admission = createAdmission({ backlog, maxQueueSeconds });
  const submit = async (goal = newGoal()): Promise<AstraError | null> => {
    try {
      await admission.admit(goal, async () => true);
      accepted.push(goal);
      return null;
    } catch (error) {
      if (!(error instanceof AstraError)) throw error;
      return error;
    }
  };
  return {
    backlog,
    admission,
    state,
    submit,
    /** How many of so many submissions are accepted. */
    async submitMany(count: number, tenant = 'a'): Promise<number> {
      const before = accepted.length;
      for (let call = 0; call < count; call += 1) await submit(newGoal(tenant));
      return accepted.length - before;
    },
    /** Seconds in each of which so many goals begin. */
    async pass(seconds: number, { begins = 0 } = {}): Promise<void> {
      for (let second = 0; second < seconds; second += 1) {
        for (const { goalId } of accepted.splice(0, begins)) begun.add(goalId);
        await vi.advanceTimersByTimeAsync(1_000);
      }
    },
  };
}

describe('admission', () => {
  test('takes a burst before it knows how fast goals begin', async () => {
    const system = createSystem();
    expect(await system.submitMany(600)).toBe(500);
    expect(await system.submit()).toMatchObject({ code: 'ASTRA_OVERLOADED', retryable: true, retryAfterSeconds: 10 });
  });

  test('has room for what begins in the time given, and says when the backlog will be gone', async () => {
    const system = createSystem({ maxQueueSeconds: 5 });
    await system.submitMany(200);
    await system.pass(1, { begins: 100 });
    expect(system.backlog.perSecond).toBeCloseTo(100);
    expect(await system.submitMany(800)).toBe(400);
    expect(await system.submit()).toMatchObject({ retryAfterSeconds: 5 });
    await system.pass(1, { begins: 100 });
    expect(await system.submitMany(800)).toBe(100);
  });

  test('finds out within seconds that goals begin more slowly than before', async () => {
    const system = createSystem();
    await system.submitMany(200);
    await system.pass(1, { begins: 100 });
    expect(await system.submitMany(2_000)).toBe(900);
    await system.pass(10, { begins: 20 });
    expect(system.backlog.perSecond).toBeLessThan(25);
    expect(await system.submit()).toMatchObject({ code: 'ASTRA_OVERLOADED', retryAfterSeconds: 36 });
  });

  test('has room for few when nothing begins, and asks for the longest wait', async () => {
    const system = createSystem();
    await system.submitMany(90);
    await system.pass(1);
    expect(await system.submitMany(90)).toBe(10);
    expect(await system.submit()).toMatchObject({ code: 'ASTRA_OVERLOADED', retryAfterSeconds: 60 });
  });

  test('does not take few submissions for slow workers, nor an outage for what comes after it', async () => {
    const system = createSystem();
    await system.submitMany(50);
    await system.pass(5);
    expect(system.backlog.perSecond).toBe(0);
    await system.pass(1, { begins: 50 });
    for (let second = 0; second < 5; second += 1) {
      await system.submit();
      await system.pass(1, { begins: 1 });
    }
    expect(await system.submitMany(500)).toBe(500);
  });

  test('keeps nobody out because another tenant floods', async () => {
    const system = createSystem();
    expect(await system.submitMany(1_000, 'flood')).toBe(500);
    expect(await system.submitMany(500, 'other')).toBe(250);
    expect(await system.submitMany(1, 'flood')).toBe(0);
  });

  test('bounds the calls under way, whatever room there is', async () => {
    const system = createSystem();
    const started = Promise.withResolvers<boolean>();
    for (let call = 0; call < 200; call += 1) void system.admission.admit(newGoal(), () => started.promise);
    expect(await system.submit()).toMatchObject({ code: 'ASTRA_OVERLOADED' });
    started.resolve(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(await system.submit()).toBeNull();
  });

  test('refuses nothing when it is turned off', async () => {
    const system = createSystem({ maxQueueSeconds: 0 });
    expect(await system.submitMany(1_000)).toBe(1_000);
  });
});

describe('the backlog', () => {
  test('does not count goals that were not started, or were started before', async () => {
    const system = createSystem();
    const goal = newGoal();
    await system.admission.admit(goal, async () => true);
    await system.admission.admit(goal, async () => false);
    expect(system.backlog.size).toBe(1);
    await system.admission.admit(newGoal(), async () => false);
    await expect(system.admission.admit(newGoal(), () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(system.backlog).toMatchObject({ size: 1, tenants: 1 });
  });

  test('is measured once a second while goals wait, and not when none does', async () => {
    const system = createSystem();
    await system.submitMany(3);
    await system.pass(3);
    expect(system.state.asked).toBe(3);
    await system.pass(1, { begins: 3 });
    expect(system.backlog.size).toBe(0);
    await system.pass(10);
    expect(system.state.asked).toBe(4);
  });

  test('stands still while the record cannot be asked', async () => {
    const system = createSystem();
    await system.submitMany(60);
    await system.pass(1, { begins: 50 });
    system.state.postgresAway = true;
    await system.pass(5, { begins: 10 });
    expect(system.backlog).toMatchObject({ size: 10, perSecond: 50 });
    system.state.postgresAway = false;
    await system.pass(1);
    expect(system.backlog.size).toBe(0);
  });

  test('forgets a goal that never begins', async () => {
    const system = createSystem();
    await system.submit();
    await system.pass(602);
    expect(system.backlog).toMatchObject({ size: 0, tenants: 0 });
  });
});
