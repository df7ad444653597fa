import type { Context } from 'hono';

/** An answer whose JSON is text already. */
export const jsonText = (c: Context, json: string, status: 200 | 202): Response =>
  c.body(json, status, { 'content-type': 'application/json' });

/** A view at a `seq`: 304 to those who have it. */
export function viewResponse(c: Context, seq: number, json: () => string): Response {
  const etag = `"${seq}"`;
  const headers = { etag, 'cache-control': 'private, no-cache' };
  const known = c.req
    .header('if-none-match')
    ?.split(',')
    .map((tag) => tag.trim().replace(/^W\//, ''));
  if (known?.includes(etag)) return c.body(null, 304, headers);
  return c.body(json(), 200, { ...headers, 'content-type': 'application/json' });
}
