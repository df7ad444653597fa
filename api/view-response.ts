import type { Context } from 'hono';

/** An answer whose JSON is text already. */
export const jsonText = (c: Context, json: string, status: 200 | 202): Response =>
  c.body(json, status, { 'content-type': 'application/json' });

export const etagOf = (seq: number): string => `"${seq}"`;
/** To be asked for each time, which costs little with the tag. */
export const viewCaching = 'private, no-cache';

/** Whether `If-None-Match` has the tag. */
export const isKnown = (ifNoneMatch: string | null | undefined, etag: string): boolean =>
  ifNoneMatch?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag) ?? false;

/**
 * A view at a `seq`: 304 to those who have it.
 * @param options.weak the same `seq` says the same, though maybe not in the same bytes
 */
export function viewResponse(
  c: Context,
  seq: number,
  { json, weak = false }: { readonly json: () => string; readonly weak?: boolean },
): Response {
  const etag = etagOf(seq);
  const headers = { etag: weak ? `W/${etag}` : etag, 'cache-control': viewCaching };
  if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);
  return c.body(json(), 200, { ...headers, 'content-type': 'application/json' });
}
