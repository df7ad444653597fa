import { expect, test } from 'vitest';
import { createBoundedCache } from './bounded-cache.ts';

test('the least recently used texts go when all together are too long', () => {
  const cache = createBoundedCache<number>(6);
  let made = 0;
  const use = (text: string): number => cache.get(text, () => (made += 1));
  expect([use('aa'), use('bb'), use('cc')]).toEqual([1, 2, 3]);
  expect(use('aa')).toBe(1);
  expect(use('dd')).toBe(4);
  expect([use('aa'), use('cc'), use('dd')]).toEqual([1, 3, 4]);
  expect(use('bb')).toBe(5);
});

test('a text longer than the bound is made each time', () => {
  const cache = createBoundedCache<number>(3);
  let made = 0;
  expect([1, 2].map(() => cache.get('long', () => (made += 1)))).toEqual([1, 2]);
});

test('what fails is not kept', () => {
  const cache = createBoundedCache<number>(3);
  const fail = (): number => {
    throw new RangeError('no');
  };
  expect(() => cache.get('a', fail)).toThrow('no');
  expect(cache.get('a', () => 7)).toBe(7);
});
