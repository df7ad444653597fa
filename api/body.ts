import type { Context } from 'hono';
import type { z } from 'zod';
import { AstraError } from '../domain/errors.ts';
import { parseWith } from '../domain/schemas/parse.ts';

const jsonMediaType = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

/**
 * The JSON in the request's body; `undefined` when it has none.
 * @throws ASTRA_MEDIA_TYPE_UNSUPPORTED, ASTRA_BODY_INVALID
 */
export async function readJson(c: Context): Promise<unknown> {
  const text = await c.req.text();
  if (text === '') return undefined;
  if (!jsonMediaType.test(c.req.header('content-type') ?? '')) {
    throw new AstraError('ASTRA_MEDIA_TYPE_UNSUPPORTED', 'Send the body as JSON, with Content-Type: application/json.');
  }
  return parseJson(text, 'The body');
}

/** @param what the text is, to begin a message with. @throws ASTRA_BODY_INVALID */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'not JSON';
    const faults = [{ pointer: '', message }];
    throw new AstraError('ASTRA_BODY_INVALID', `${what} is not well-formed JSON.`, { faults, cause });
  }
}

const ndjsonMediaType = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines)\s*(?:;|$)/i;

/**
 * The lines of a body that has a JSON document in each; blank ones are left out.
 * @throws ASTRA_MEDIA_TYPE_UNSUPPORTED; ASTRA_BODY_INVALID when there is none, or more than `most`
 */
export async function readLines(c: Context, most: number): Promise<readonly string[]> {
  if (!ndjsonMediaType.test(c.req.header('content-type') ?? '')) {
    const message = 'Send a JSON document a line, with Content-Type: application/x-ndjson.';
    throw new AstraError('ASTRA_MEDIA_TYPE_UNSUPPORTED', message);
  }
  const lines = (await c.req.text()).split('\n').filter((line) => line.trim() !== '');
  if (lines.length > 0 && lines.length <= most) return lines;
  const message = `The body has ${lines.length} lines; 1 to ${most} are allowed.`;
  throw new AstraError('ASTRA_BODY_INVALID', message, { faults: [{ pointer: '', message }] });
}

/** @throws ASTRA_MEDIA_TYPE_UNSUPPORTED, ASTRA_BODY_INVALID with a pointer for each fault. */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  return parseWith(schema, await readJson(c), 'ASTRA_BODY_INVALID', 'The body is not valid');
}
