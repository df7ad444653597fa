import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { mapInOrder } from './map-in-order.ts';

async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of source) all.push(each);
  return all;
}

test('keeps the order, however long each takes, and never does more at once than it may', async () => {
  let underWay = 0;
  let most = 0;
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, (underWay += 1));
    await sleep((item * 7) % 5);
    underWay -= 1;
    return item * 2;
  };
  const items = Array.from({ length: 40 }, (_, index) => index);
  expect(await collect(mapInOrder(items, 4, work))).toEqual(items.map((item) => item * 2));
  expect(most).toBe(4);
});

test('begins nothing that nobody takes, and waits for what has begun', async () => {
  const ended: number[] = [];
  const work = async (item: number): Promise<number> => {
    await sleep(1);
    ended.push(item);
    return item;
  };
  for await (const item of mapInOrder(
    Array.from({ length: 40 }, (_, index) => index),
    3,
    work,
  ))
    if (item === 1) break;
  expect(ended.toSorted()).toEqual([0, 1, 2, 3]);
});

test('throws what failed in its turn', async () => {
  const work = (item: number): Promise<number> =>
    item === 2 ? Promise.reject(new Error('two')) : Promise.resolve(item);
  const seen: number[] = [];
  const all = async (): Promise<void> => {
    for await (const item of mapInOrder([0, 1, 2, 3], 4, work)) seen.push(item);
  };
  await expect(all()).rejects.toThrow('two');
  expect(seen).toEqual([0, 1]);
});
