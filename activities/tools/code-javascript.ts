import { z } from 'zod';
import type { Json } from '../../domain/json.ts';
import { defineTool, type Tool } from './define-tool.ts';
import { runJavascript, type IsOver } from './run-javascript.ts';

/** The input has come as JSON already, so it is not walked again. */
const anyJson = z.unknown();

/** `code.javascript`. `startClock` is called as a call begins and tells, from then on, whether its time is over. */
export function createCodeJavascript(startClock: () => IsOver): Tool {
  return defineTool({
    name: 'code.javascript',
    description:
      'Calls a JavaScript function with the input and answers with what it returns, as JSON. No host, network or file access, no async functions, 64 MiB of memory.',
    input: z.strictObject({
      code: z
        .string()
        .min(1)
        .max(256 * 1024)
        .describe('a function expression such as (input) => input.items.length'),
      input: anyJson.optional(),
    }),
    output: anyJson.describe('what the function returns; null when it returns nothing'),
    effect: 'none',
    risk: 'low',
    execution: 'inline',
    timeoutSeconds: 30,
    // Tools are called with JSON.
    run: ({ code, input = null }) => runJavascript(code, input as Json, { isOver: startClock() }),
  });
}
