import { expect, test } from 'vitest';
import { bestOf, lossesOf } from './losses.ts';

const baseline = { 'execution.diamond_pure': 3, 'reads.memory': 0.9 };

test('a ratio that has lost 30 % and more is named, with what it was', () => {
  expect(lossesOf(baseline, { 'execution.diamond_pure': 2.05, 'reads.memory': 0.9 })).toEqual([
    'execution.diamond_pure is 2.05, which is 68 % of the 3.00 it was',
  ]);
});

test('less is taken for noise, and what is new is not judged', () => {
  expect(lossesOf(baseline, { 'execution.diamond_pure': 2.15, 'reads.memory': 0.65, 'submit.rate': 0.1 })).toEqual([]);
});

test('of several runs the best counts, ratio by ratio', () => {
  expect(
    bestOf([
      { a: 1, b: 3 },
      { a: 2, b: 1 },
    ]),
  ).toEqual({ a: 2, b: 3 });
});
