import { expect, test } from 'vitest';
import { requiredSuccesses } from './min-success.ts';

test.each([
  { minSuccess: 1, items: 10, required: 10 },
  { minSuccess: 0.9, items: 10, required: 9 },
  { minSuccess: 0.55, items: 100, required: 55 },
  { minSuccess: 0.07, items: 100, required: 7 },
  { minSuccess: 0.501, items: 10, required: 6 },
  { minSuccess: 1, items: 100_000, required: 100_000 },
  { minSuccess: 0.00001, items: 100_000, required: 1 },
  { minSuccess: 0, items: 10, required: 0 },
  { minSuccess: 1, items: 0, required: 0 },
])('$required of $items items must complete for $minSuccess', ({ minSuccess, items, required }) => {
  expect(requiredSuccesses(minSuccess, items) + 0).toBe(required);
});
