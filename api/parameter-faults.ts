import type { z } from 'zod';
import type { Fault } from '../domain/errors.ts';
import { jsonPointer } from '../domain/json-pointer.ts';

/** What is wrong with a request's parameters. An unknown one is a fault at its name, not at all of them. */
export function parameterFaults(error: z.ZodError): Fault[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: jsonPointer([...issue.path, key]), message: 'unknown parameter' }))
      : [{ pointer: jsonPointer(issue.path), message: issue.message }],
  );
}
