import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { createKnownLimits } from '../../stores/known-limits.ts';
import { createLimitPlaces, type LimitPlaces, type TakeAnswer } from '../../stores/postgres/limit-places.ts';
import { createLimitWaiters, type LimitWaiters } from '../../stores/postgres/limit-waiters.ts';
import { createLimitStore, type Limit, type LimitStore } from '../../stores/postgres/limits.ts';
import { until } from '../support/until.ts';
import { createRecordBench, type Process, type RecordBench } from './record-support.ts';

let bench: RecordBench;
let process: Process;
let limits: LimitStore;
let places: LimitPlaces;
let waiters: LimitWaiters;
beforeAll(async () => {
  bench = await createRecordBench();
  process = await bench.start();
  limits = createLimitStore(process.pool);
  places = createLimitPlaces(process.pool);
  waiters = createLimitWaiters(process.pool);
});
afterAll(() => bench.stop());

const define = async (limit: Limit): Promise<Limit> => {
  const { name, ...definition } = limit;
  await limits.put(bench.tenant, name, definition);
  return limit;
};
const queue = (name: string, rest: Partial<Limit>): Promise<Limit> =>
  define({ name, key: "'all'", strategy: 'queue', ...rest });

interface Asking {
  readonly limits: readonly Limit[];
  readonly priority?: number;
  readonly bucket?: string;
}
const ask = (goal: GoalRef, { limits: wanted, priority = 3, bucket = 'all' }: Asking): Promise<TakeAnswer> =>
  places.take(
    { goal, taskId: '', priority },
    wanted.map((limit) => ({ limit, bucket })),
  );
const outcome = async (goal: GoalRef, asking: Asking): Promise<string> => (await ask(goal, asking)).outcome;
const newGoals = (count: number): GoalRef[] => Array.from({ length: count }, () => bench.newGoal());
/** Who is told when a goal gives back what it has. */
const next = async (goal: GoalRef): Promise<readonly string[]> =>
  (await waiters.of(goal.tenant, await places.giveBack(goal))).map(({ goalId }) => goalId);
const standing = async (name: string) => {
  const limit = await limits.get(bench.tenant, name);
  return { holding: limit?.holding, waiting: limit?.waiting };
};

describe('concurrency', () => {
  test('is never exceeded, however many ask at once', async () => {
    const limit = await queue('at-once', { concurrency: 3 });
    const goals = newGoals(40);
    const outcomes = await Promise.all(goals.map((goal) => outcome(goal, { limits: [limit] })));
    expect(outcomes.filter((each) => each === 'taken')).toHaveLength(3);
    expect(await standing('at-once')).toEqual({ holding: 3, waiting: 37 });
  });

  test('holds as goals come, go and ask again at the same time', async () => {
    const limit = await queue('busy', { concurrency: 4 });
    let most = 0;
    const holding = new Set<string>();
    await Promise.all(
      newGoals(30).map(async (goal) => {
        await until(async () => (await outcome(goal, { limits: [limit] })) === 'taken', 'each has its turn');
        holding.add(goal.goalId);
        most = Math.max(most, holding.size);
        await outcome(goal, { limits: [limit] });
        holding.delete(goal.goalId);
        await places.giveBack(goal);
      }),
    );
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    expect(await standing('busy')).toEqual({ holding: 0, waiting: 0 });
  });

  test('is counted by bucket', async () => {
    const limit = await queue('by-bucket', { concurrency: 1 });
    const [a, b, c] = newGoals(3);
    expect(await outcome(a!, { limits: [limit], bucket: 'a' })).toBe('taken');
    expect(await outcome(b!, { limits: [limit], bucket: 'b' })).toBe('taken');
    expect(await outcome(c!, { limits: [limit], bucket: 'a' })).toBe('waits');
  });

  test('what is held stays held when it is asked for again', async () => {
    const limit = await queue('again', { concurrency: 1 });
    const [goal] = newGoals(1);
    for (const _ of [1, 2, 3]) expect(await outcome(goal!, { limits: [limit] })).toBe('taken');
    expect(await standing('again')).toEqual({ holding: 1, waiting: 0 });
  });
});

describe('a line', () => {
  test('is by priority, then by when one first asked; whoever comes first is told, and nobody overtakes', async () => {
    const limit = await queue('line', { concurrency: 1 });
    const [holder, first, second, urgent, late] = newGoals(5);
    await ask(holder!, { limits: [limit] });
    await ask(first!, { limits: [limit] });
    await ask(second!, { limits: [limit] });
    await ask(urgent!, { limits: [limit], priority: 1 });
    expect(await next(holder!)).toEqual([urgent!.goalId]);
    // The place is free, and not for somebody new.
    expect(await outcome(late!, { limits: [limit] })).toBe('waits');
    expect(await outcome(first!, { limits: [limit] })).toBe('waits');
    expect(await outcome(urgent!, { limits: [limit], priority: 1 })).toBe('taken');
    expect(await next(urgent!)).toEqual([first!.goalId]);
  });

  test('closes up when one that waits gives up', async () => {
    const limit = await queue('gives-up', { concurrency: 1 });
    const [holder, first, second] = newGoals(3);
    for (const goal of [holder, first, second]) await ask(goal!, { limits: [limit] });
    expect(await next(first!)).toEqual([]);
    expect(await next(holder!)).toEqual([second!.goalId]);
  });

  test('at several limits lets in whom all of them let in', async () => {
    const wide = await queue('wide', { concurrency: 2 });
    const narrow = await queue('narrow', { concurrency: 1 });
    const [holder, both, other] = newGoals(3);
    await ask(holder!, { limits: [wide, narrow] });
    const refused = await ask(both!, { limits: [wide, narrow] });
    expect(refused).toMatchObject({ outcome: 'waits', waitingFor: { kind: 'concurrency', detail: 'narrow' } });
    // It holds nothing of the wide one meanwhile.
    expect(await outcome(other!, { limits: [wide] })).toBe('taken');
    expect(await next(holder!)).toEqual([both!.goalId]);
    expect(await outcome(both!, { limits: [wide, narrow] })).toBe('taken');
  });

  test('is left by whom the limit does not mean any more', async () => {
    const limit = await queue('left', { concurrency: 1 });
    const [holder, goal] = newGoals(2);
    await ask(holder!, { limits: [limit] });
    await ask(goal!, { limits: [limit] });
    expect(await outcome(goal!, { limits: [] })).toBe('taken');
    expect(await standing('left')).toEqual({ holding: 1, waiting: 0 });
  });

  test('shortens when the limit is raised: those that now fit are found', async () => {
    const limit = await queue('raised', { concurrency: 1 });
    const goals = newGoals(4);
    for (const goal of goals) await ask(goal, { limits: [limit] });
    expect(await waiters.among(goals)).toEqual([]);
    await queue('raised', { concurrency: 3 });
    expect((await waiters.among(goals)).map(({ goalId }) => goalId).toSorted()).toEqual(
      goals
        .slice(1, 3)
        .map(({ goalId }) => goalId)
        .toSorted(),
    );
    expect(await waiters.at(bench.tenant, 'raised')).toEqual(goals.slice(1));
    await limits.delete(bench.tenant, 'raised');
    expect(await waiters.among(goals)).toHaveLength(3);
  });
});

describe('a rate', () => {
  test('tells each that waits when its turn is', async () => {
    const limit = await queue('rate', { rate: { limit: 2, perSeconds: 20 } });
    const goals = newGoals(5);
    const answers: TakeAnswer[] = [];
    for (const goal of goals) answers.push(await ask(goal, { limits: [limit] }));
    expect(answers.map(({ outcome }) => outcome)).toEqual(['taken', 'taken', 'waits', 'waits', 'waits']);
    const waits = answers.flatMap((answer) => (answer.outcome === 'waits' ? [(answer.waitMs ?? 0) / 1_000] : []));
    waits.forEach((seconds, n) => expect(seconds).toBeCloseTo(10 * (n + 1), 0));
    expect(answers[2]).toMatchObject({ waitingFor: { kind: 'rate_limit', detail: 'rate' } });
    // Giving back does not give back what was begun.
    expect(await next(goals[0]!)).toEqual([]);
    expect(await outcome(goals[2]!, { limits: [limit] })).toBe('waits');
  });

  test('is not used by whom another limit refuses', async () => {
    const rate = await queue('rate-unused', { rate: { limit: 1, perSeconds: 3_600 } });
    const full = await queue('full', { concurrency: 1 });
    const [holder, refused, other] = newGoals(3);
    await ask(holder!, { limits: [full] });
    expect(await outcome(refused!, { limits: [full, rate] })).toBe('waits');
    expect(await outcome(other!, { limits: [rate] })).toBe('taken');
  });
});

test('a limit that rejects leaves no place in a line', async () => {
  const limit = await define({ name: 'rejects', key: "'all'", strategy: 'reject', concurrency: 1 });
  const [holder, goal] = newGoals(2);
  await ask(holder!, { limits: [limit] });
  expect(await ask(goal!, { limits: [limit] })).toMatchObject({ outcome: 'rejected', limit: { name: 'rejects' } });
  expect(await standing('rejects')).toEqual({ holding: 1, waiting: 0 });
});

test('for the newest the oldest are cancelled, holders and those that wait alike, each time it asks', async () => {
  const limit = await define({ name: 'newest', key: "'all'", strategy: 'cancel_oldest', concurrency: 1 });
  const [first, second, third] = newGoals(3);
  expect(await outcome(first!, { limits: [limit] })).toBe('taken');
  const replacedBy = async (goal: GoalRef): Promise<readonly string[]> => {
    const answer = await ask(goal, { limits: [limit] });
    return answer.outcome === 'waits' ? answer.replaced.map(({ goal: { goalId } }) => goalId) : [];
  };
  expect(await replacedBy(second!)).toEqual([first!.goalId]);
  expect((await replacedBy(third!)).toSorted()).toEqual([first!.goalId, second!.goalId].toSorted());
  expect((await replacedBy(third!)).toSorted()).toEqual([first!.goalId, second!.goalId].toSorted());
  // One that is being cancelled cancels nobody and begins nothing more.
  expect(await replacedBy(second!)).toEqual([]);
  expect(await next(first!)).toEqual([third!.goalId]);
  expect(await outcome(second!, { limits: [limit] })).toBe('waits');
  expect(await outcome(third!, { limits: [limit] })).toBe('taken');
});

describe('the place of a call', () => {
  const call = (goal: GoalRef, taskId: string, limit: Limit, leaseSeconds = 30): Promise<TakeAnswer> =>
    places.take({ goal, taskId, priority: 3 }, [{ limit, bucket: 'all' }], { leaseSeconds });

  test('is one of its own, and its next attempt takes it over', async () => {
    const limit = await queue('calls', { of: 'task', concurrency: 2 });
    const [goal] = newGoals(1);
    expect((await call(goal!, 'a', limit)).outcome).toBe('taken');
    expect((await call(goal!, 'b', limit)).outcome).toBe('taken');
    expect((await call(goal!, 'c', limit)).outcome).toBe('waits');
    expect((await call(goal!, 'a', limit)).outcome).toBe('taken');
    await places.giveBackCall(goal!, 'a');
    expect((await call(goal!, 'c', limit)).outcome).toBe('taken');
  });

  test('lapses when nobody renews it', async () => {
    const limit = await queue('lapses', { of: 'task', concurrency: 1 });
    const [dead, alive] = newGoals(2);
    await call(dead!, 'a', limit, 0.2);
    await until(async () => (await call(alive!, 'a', limit, 0.5)).outcome === 'taken', 'the place has lapsed');
    await places.renewCall(alive!, 'a', { leaseSeconds: 30 });
    // The one that is late has to wait like any other.
    expect((await call(dead!, 'a', limit)).outcome).toBe('waits');
  });

  test('is given back with its goal at the latest', async () => {
    const limit = await queue('with-goal', { of: 'task', concurrency: 1 });
    const [goal] = newGoals(1);
    await call(goal!, 'a', limit);
    await places.giveBack(goal!);
    expect(await standing('with-goal')).toEqual({ holding: 0, waiting: 0 });
  });
});

test('a goal that holds places is given to one worker to check, and then to nobody for a while', async () => {
  const limit = await queue('checked', { concurrency: 10 });
  const goals = newGoals(6);
  for (const goal of goals) await ask(goal, { limits: [limit] });
  const check = () => waiters.takeToCheck({ count: 1_000, olderThanSeconds: 0 });
  const taken = (await Promise.all([check(), check(), check()])).flat().map(({ goal }) => goal.goalId);
  for (const { goalId } of goals) expect(taken.filter((id) => id === goalId).length).toBeGreaterThan(0);
  expect(await waiters.takeToCheck({ count: 1_000, olderThanSeconds: 60 })).toEqual([]);
});

test('what is out of use is tidied away, and what is in use is not', async () => {
  const limit = await queue('tidy', { concurrency: 1 });
  const [goal, gone] = newGoals(2);
  await ask(goal!, { limits: [limit], bucket: 'used' });
  await ask(gone!, { limits: [limit], bucket: 'unused' });
  await places.giveBack(gone!);
  await process.pool.query("UPDATE limit_buckets SET used_at = now() - interval '2 hours' WHERE limit_name = 'tidy'");
  await waiters.tidy();
  const { rows } = await process.pool.query("SELECT bucket FROM limit_buckets WHERE limit_name = 'tidy'");
  expect(rows).toEqual([{ bucket: 'used' }]);
});

test('a process knows of a change within a second, and of no other tenant’s limits', async () => {
  const known = createKnownLimits(limits, { logger: { warn: () => undefined } });
  try {
    await known.loaded;
    const names = (what: 'goal' | 'task') => known.of(bench.tenant, what).map(({ name }) => name);
    expect(names('goal')).toContain('at-once');
    expect(names('task')).toContain('calls');
    expect(known.of('somebody-else', 'goal')).toEqual([]);
    await queue('brand-new', { concurrency: 1 });
    await until(() => names('goal').includes('brand-new'), 'it is known', { timeoutSeconds: 2 });
    await limits.delete(bench.tenant, 'brand-new');
    await until(() => !names('goal').includes('brand-new'), 'it is forgotten', { timeoutSeconds: 2 });
  } finally {
    known.close();
  }
});
