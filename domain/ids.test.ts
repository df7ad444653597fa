import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  approvalId,
  changeApprovalId,
  childGoalId,
  goalIdFrom,
  itemTaskId,
  parseApprovalId,
  parseTaskId,
} from './ids.ts';
import { goalIdSchema, taskIdSchema } from './schemas/common.ts';

const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest();
const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const time = fc.nat(4_000_000_000_000);
const taskId = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/);

describe('a goal id', () => {
  test('fits its schema, whatever it is made of', () => {
    fc.assert(
      fc.property(time, bytes, (unixMilliseconds, random) => {
        expect(goalIdSchema.safeParse(goalIdFrom({ unixMilliseconds }, random)).success).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('sorts by its time', () => {
    fc.assert(
      fc.property(time, time, bytes, bytes, (first, second, a, b) => {
        fc.pre(first !== second);
        const earlier = goalIdFrom({ unixMilliseconds: Math.min(first, second) }, a);
        const later = goalIdFrom({ unixMilliseconds: Math.max(first, second) }, b);
        expect(earlier < later).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('keeps all its 128 bits of chance', () => {
    const ids = Array.from({ length: 16 * 8 }, (_, bit) => {
      const random = new Uint8Array(16);
      random[bit >> 3] = 1 << (bit & 7);
      return goalIdFrom({ unixMilliseconds: 0 }, random);
    });
    expect(new Set(ids).size).toBe(128);
  });

  test('is refused too little chance', () => {
    expect(() => goalIdFrom({ unixMilliseconds: 0 }, new Uint8Array(15))).toThrow(/16 bytes/);
  });
});

describe('the id of a child goal', () => {
  const parent = goalIdFrom({ unixMilliseconds: 1_700_000_000_000 }, randomBytes(16));

  test('is the same at every attempt and differs from task to task', () => {
    expect(childGoalId(parent, 'a', { digest: sha256 })).toBe(childGoalId(parent, 'a', { digest: sha256 }));
    expect(childGoalId(parent, 'a', { digest: sha256 })).not.toBe(childGoalId(parent, 'b', { digest: sha256 }));
  });

  test('differs from run to run', () => {
    const ofRun = (run?: number) => childGoalId(parent, 'a', { digest: sha256, ...(run && { run }) });
    expect(ofRun(1)).toBe(ofRun());
    expect(new Set([ofRun(1), ofRun(2), ofRun(3)]).size).toBe(3);
  });

  test('fits the schema and stands beside its parent', () => {
    const child = childGoalId(parent, 'each.3', { digest: sha256 });
    expect(goalIdSchema.safeParse(child).success).toBe(true);
    expect(child.slice(0, 12)).toBe(parent.slice(0, 12));
  });
});

describe('an approval id', () => {
  test('says which goal and task it belongs to', () => {
    fc.assert(
      fc.property(time, bytes, fc.option(taskId), (unixMilliseconds, random, task) => {
        const goalId = goalIdFrom({ unixMilliseconds }, random);
        expect(parseApprovalId(approvalId(goalId, task))).toEqual({ goalId, taskId: task });
      }),
      { numRuns: 500 },
    );
  });

  test('of a change says its goal, and is another one for each change', () => {
    const goalId = goalIdFrom({ unixMilliseconds: 1 }, randomBytes(16));
    const idOf = (changeId: string): string => changeApprovalId(goalId, changeId, { digest: sha256 });
    expect(parseApprovalId(idOf('c1'))).toEqual({ goalId, taskId: null });
    expect(new Set([idOf('c1'), idOf('c2'), approvalId(goalId, null)]).size).toBe(3);
  });

  test.each([
    '',
    'apr_',
    'apr_short',
    'gol_0123456789abcdef',
    'apr_0123456789abcdef.',
    'apr_0123456789abcdef.a.b',
    'apr_0123456789abcdef/a',
  ])('%j is none', (text) => {
    expect(parseApprovalId(text)).toBeNull();
  });
});

describe('the id of a map’s item', () => {
  test('splits into the map and the index', () => {
    fc.assert(
      fc.property(taskId, fc.nat(100_000), (id, index) => {
        expect(taskIdSchema.safeParse(id).success).toBe(true);
        expect(parseTaskId(itemTaskId(id, index))).toEqual({ id, index });
        expect(parseTaskId(id)).toEqual({ id, index: null });
      }),
      { numRuns: 500 },
    );
  });
});
