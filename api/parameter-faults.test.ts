import { expect, test } from 'vitest';
import { z } from 'zod';
import { parameterFaults } from './parameter-faults.ts';

const anyString: unknown = expect.any(String);

test('a fault names its parameter, escaped as a pointer; an unknown parameter is a fault of its own', () => {
  const schema = z.strictObject({ status: z.array(z.enum(['a'])), 'x/y~z': z.string() });
  const { error } = schema.safeParse({ status: ['a', 'b'], 'x/y~z': 1, 'other/one': 1 });
  expect(error && parameterFaults(error)).toEqual([
    { pointer: '/status/1', message: anyString },
    { pointer: '/x~1y~0z', message: anyString },
    { pointer: '/other~1one', message: 'unknown parameter' },
  ]);
});
