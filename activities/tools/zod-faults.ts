import type { z } from 'zod';
import type { Fault } from '../../domain/errors.ts';

const escape = (segment: PropertyKey): string => String(segment).replaceAll('~', '~0').replaceAll('/', '~1');
const pointerOf = (path: readonly PropertyKey[]): string => path.map((segment) => `/${escape(segment)}`).join('');

/** A fault for each thing that is wrong, an unknown field at the field's own pointer. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue): Fault[] =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), message: 'unknown field' }))
      : [{ pointer: pointerOf(issue.path), message: issue.message }],
  );
}
