import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, ToolManifest } from '../types.ts';

export interface Tools {
  /** One page. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<ToolManifest>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<ToolManifest, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(name: string, options?: CallOptions): Promise<ToolManifest>;
}

export function createTools(transport: Transport): Tools {
  return {
    list: (query = {}, options) => readPage(transport, 'v1/tools', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/tools', { ...query }, options),
    async get(name, { signal } = {}) {
      return (await transport.json<ToolManifest>(`v1/tools/${encodeURIComponent(name)}`, { signal })).body;
    },
  };
}
