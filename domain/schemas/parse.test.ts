import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { AstraError, type Fault } from '../errors.ts';
import { limits } from '../limits.ts';
import { parseWith } from './parse.ts';

const schema = z.strictObject({
  name: z.string().min(2),
  share: z.union([z.literal('all'), z.number()]).optional(),
  'a/b~c': z.array(z.int()).optional(),
  labels: z.record(z.string().regex(/^[a-z]+$/, 'must be a small word'), z.json()).optional(),
});

const faultsOf = (value: unknown): readonly Fault[] => {
  try {
    parseWith(schema, value, 'ASTRA_BODY_INVALID', 'The body is not valid');
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_BODY_INVALID') return error.faults;
    throw error;
  }
  return [];
};

describe('parseWith', () => {
  test('returns what the schema makes of the value', () => {
    expect(parseWith(schema, { name: 'ab' }, 'ASTRA_BODY_INVALID', 'No')).toEqual({ name: 'ab' });
    expect(parseWith(z.undefined(), undefined, 'ASTRA_BODY_INVALID', 'No')).toBeUndefined();
  });

  test('finds all faults, each with a JSON pointer', () => {
    expect(faultsOf({ 'a/b~c': [1, 'x'], share: 'some', labels: { B: 1 }, 'x/y': 1, z: 2 })).toEqual([
      { pointer: '/name', message: 'missing; expected string' },
      {
        pointer: '/share',
        message: 'Invalid input: expected "all", or: Invalid input: expected number, received string',
      },
      { pointer: '/a~1b~0c/1', message: 'Invalid input: expected number, received string' },
      { pointer: '/labels/B', message: 'must be a small word' },
      { pointer: '/x~1y', message: 'unknown field' },
      { pointer: '/z', message: 'unknown field' },
    ]);
  });

  test('names the first fault in its message and counts the others', () => {
    expect(() => parseWith(schema, { name: 'a', z: 1 }, 'ASTRA_BODY_INVALID', 'The body is not valid')).toThrow(
      /^The body is not valid: [/]name: .* \(and 1 more\)$/,
    );
  });

  test('refuses what is nested too deeply before it is walked', () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 200_000; depth += 1) deep = [deep];
    expect(faultsOf({ name: 'ab', labels: { a: deep } })).toEqual([
      { pointer: '', message: `lists and objects may stand in one another at most ${limits.jsonDepth} deep` },
    ]);
  });
});
