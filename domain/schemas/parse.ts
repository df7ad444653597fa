import type { z } from 'zod';
import { AstraError, type ErrorCode, type Fault } from '../errors.ts';
import { jsonPointer } from '../json-pointer.ts';
import { limits } from '../limits.ts';

/** Faults beyond this many are counted, not listed. */
const listedFaults = 500;

function faultsOfIssue({ path, message, ...issue }: z.core.$ZodIssue): Fault[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ pointer: jsonPointer([...path, key]), message: 'unknown field' }));
  }
  const pointer = jsonPointer(path);
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const alternatives = issue.errors.flatMap((errors) => errors.slice(0, 1).map((error) => error.message));
    return [{ pointer, message: [...new Set(alternatives)].join(', or: ') }];
  }
  if (issue.code === 'invalid_key')
    return [{ pointer, message: issue.issues.map((inner) => inner.message).join('; ') }];
  const expected = /^Invalid input: expected (.*), received undefined$/.exec(message)?.[1];
  return [{ pointer, message: expected === undefined ? message : `missing; expected ${expected}` }];
}

/** All that a schema found wrong; an unknown field stands at its own pointer. */
export const faultsOf = (error: z.ZodError): Fault[] => error.issues.flatMap(faultsOfIssue);

/** The lists and objects of a value stand in one another at most this deep. A loop: recursion is what it guards. */
function isDeeperThan(value: unknown, depth: number): boolean {
  let level = [value];
  for (let below = 0; level.length > 0; below += 1) {
    if (below > depth) return true;
    level = level.flatMap((item): unknown[] => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

type Parsed<T> =
  | { readonly ok: true; readonly data: T; readonly faults: readonly [] }
  | { readonly ok: false; readonly data?: undefined; readonly faults: readonly Fault[] };

/** The value as the schema has it, or all that is wrong with it, each with a JSON pointer into the value. */
export function tryParse<T>(schema: z.ZodType<T>, value: unknown): Parsed<T> {
  if (isDeeperThan(value, limits.jsonDepth)) {
    const message = `lists and objects may stand in one another at most ${limits.jsonDepth} deep`;
    return { ok: false, faults: [{ pointer: '', message }] };
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return { ok: true, data: parsed.data, faults: [] };
  return { ok: false, faults: faultsOf(parsed.error) };
}

/** An error with all the faults (the first few hundred of them), which names the first in its message. */
export function faultsError(faults: readonly Fault[], code: ErrorCode, message: string): AstraError {
  const [first = { pointer: '', message: 'no fault' }] = faults;
  const place = first.pointer === '' ? '' : `${first.pointer}: `;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new AstraError(code, `${message}: ${place}${first.message}${more}`, { faults: faults.slice(0, listedFaults) });
}

/**
 * Parses what came from outside.
 * @throws an error of that code, with a fault for everything that is wrong, each with a JSON pointer into the value
 */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, code: ErrorCode, message: string): T {
  const parsed = tryParse(schema, value);
  if (parsed.ok) return parsed.data;
  throw faultsError(parsed.faults, code, message);
}
