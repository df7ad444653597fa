import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createReadySet } from './ready-set.ts';

describe('a ready set', () => {
  test('has no least member when it is empty', () => {
    expect(createReadySet(0).takeLeast()).toBe(-1);
    expect(createReadySet(70).takeLeast()).toBe(-1);
  });

  test('gives the members of a set of 10,000 in order', () => {
    const set = createReadySet(10_000);
    for (let member = 9_999; member >= 0; member -= 1) set.add(member);
    expect(set.count).toBe(10_000);
    expect(Array.from({ length: 10_000 }, () => set.takeLeast())).toEqual(Array.from({ length: 10_000 }, (_, i) => i));
  });

  test('behaves like a sorted set under any mix of calls', () => {
    const call = fc.record({ kind: fc.constantFrom('add', 'remove', 'take'), member: fc.nat(2_099) });
    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
        const set = createReadySet(2_100);
        const model = new Set<number>();
        for (const { kind, member } of calls) {
          if (kind === 'add') {
            set.add(member);
            model.add(member);
          } else if (kind === 'remove') {
            set.remove(member);
            model.delete(member);
          } else {
            const least = model.size === 0 ? -1 : Math.min(...model);
            model.delete(least);
            expect(set.takeLeast()).toBe(least);
          }
          expect(set.count).toBe(model.size);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
