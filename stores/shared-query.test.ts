import { expect, test } from 'vitest';
import { createSharedQuery } from './shared-query.ts';

test('callers at the same time share, but never an answer that is older than their question', async () => {
  const share = createSharedQuery<number>();
  const gates: ((value: number) => void)[] = [];
  const query = (): Promise<number> => new Promise((resolve) => gates.push(resolve));

  const first = share('a', query);
  const [second, third] = [share('a', query), share('a', query)];
  const other = share('b', query);
  expect(gates).toHaveLength(2);
  gates[0]!(1);
  gates[1]!(10);
  await expect(first).resolves.toBe(1);
  await expect(other).resolves.toBe(10);

  await expect.poll(() => gates.length).toBe(3);
  gates[2]!(2);
  await expect(Promise.all([second, third])).resolves.toEqual([2, 2]);
});

test('a failure is for those who shared it, and the next query runs', async () => {
  const share = createSharedQuery<number>();
  const first = share('a', () => Promise.reject(new Error('lost')));
  const second = share('a', () => Promise.resolve(2));
  await expect(first).rejects.toThrow('lost');
  await expect(second).resolves.toBe(2);
  await expect(share('a', () => Promise.resolve(3))).resolves.toBe(3);
});
