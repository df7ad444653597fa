import type { Query, Transport } from './transport.ts';
import type { CallOptions } from './types.ts';

export interface Page<T> {
  readonly items: readonly T[];
  /** Pass it as `cursor` to get the next page; null: this is the last one. */
  readonly nextCursor: string | null;
}

export interface PageQuery {
  /** Items a page (at most 500). */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** One page of a list. */
export async function readPage<T>(
  transport: Transport,
  path: string,
  query: Query,
  options: CallOptions = {},
): Promise<Page<T>> {
  const { body } = await transport.json<Page<T>>(path, { query, signal: options.signal });
  return body;
}

/** All items of a list, page after page, each page asked for when the one before is used up. */
export async function* readPages<T>(
  transport: Transport,
  path: string,
  query: Query,
  options: CallOptions = {},
): AsyncGenerator<T, void, undefined> {
  let next: Query = query;
  for (;;) {
    const page = await readPage<T>(transport, path, next, options);
    yield* page.items;
    if (page.nextCursor === null) return;
    next = { ...query, cursor: page.nextCursor };
  }
}
