import { expect, test } from 'vitest';
import { retryDelayMs } from './back-off.ts';

test('each wait is three times the one before, half of it chance, and three hours at most', () => {
  expect([1, 2, 3, 4].map((attempts) => retryDelayMs(attempts, 1))).toEqual([2_000, 6_000, 18_000, 54_000]);
  expect(retryDelayMs(1, 0)).toBe(1_000);
  expect([10, 50, 1_000].map((attempts) => retryDelayMs(attempts, 1))).toEqual([10_800_000, 10_800_000, 10_800_000]);
});

test.each([0, 0.5, 0.999])('24 hours have a dozen attempts or two (chance %d)', (random) => {
  let attempts = 1;
  for (let ms = 0; ms < 24 * 3_600_000; attempts += 1) ms += retryDelayMs(attempts, random);
  expect(attempts).toBeGreaterThan(12);
  expect(attempts).toBeLessThan(30);
});
