import { expect, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { createMissedWrites, type MissedWrite } from './missed-writes.ts';

const goalOf = (name: string | number): GoalRef => ({ tenant: 't', goalId: `gol_${name}` as GoalId });

test('the latest missed write of each goal is made up for, also of those missed meanwhile', async () => {
  const missed = createMissedWrites();
  missed.add(goalOf('a'), 1);
  missed.add(goalOf('a'), 2);
  missed.add(goalOf('b'), 1);
  const repaired: MissedWrite[] = [];
  await missed.each(async (each) => {
    repaired.push(each);
    if (each.goal.goalId === 'gol_b' && each.seq === 1) missed.add(each.goal, 2);
  });
  expect(repaired.map(({ goal, seq }) => [goal.goalId, seq])).toEqual([
    ['gol_a', 2],
    ['gol_b', 1],
    ['gol_b', 2],
  ]);
  expect(missed.none).toBe(true);
});

test('a failed repair is tried again', async () => {
  const missed = createMissedWrites();
  missed.add(goalOf('a'), 1);
  await expect(missed.each(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(missed.none).toBe(false);
  await missed.each(() => Promise.resolve());
  expect(missed.none).toBe(true);
});

test('an outage during which too many goals move is told, not forgotten', () => {
  const missed = createMissedWrites();
  for (let count = 0; count < 10_000; count += 1) missed.add(goalOf(count), 1);
  missed.add(goalOf(0), 2);
  expect(missed.tooMany).toBe(false);
  missed.add(goalOf('one more'), 1);
  expect(missed.tooMany).toBe(true);
  expect(missed.none).toBe(false);
});
