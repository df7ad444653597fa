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
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : 'not JSON';
    throw new AstraError('ASTRA_BODY_INVALID', 'The body is not well-formed JSON.', {
      faults: [{ pointer: '', message }],
      cause,
    });
  }
}

/** @throws ASTRA_MEDIA_TYPE_UNSUPPORTED, ASTRA_BODY_INVALID with a pointer for each fault. */
export async function readBody<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  return parseWith(schema, await readJson(c), 'ASTRA_BODY_INVALID', 'The body is not valid');
}
