import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { CallOptions, Limit, LimitDefinition } from '../types.ts';

export interface Limits {
  /** One page. */
  list(query?: PageQuery, options?: CallOptions): Promise<Page<Limit>>;
  all(query?: PageQuery, options?: CallOptions): AsyncGenerator<Limit, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(name: string, options?: CallOptions): Promise<Limit>;
  /** Creates or changes it, in force within a second. @throws ASTRA_FORBIDDEN without the scope `admin` */
  put(name: string, definition: LimitDefinition, options?: CallOptions): Promise<Limit>;
  /** What waits for it begins. @throws ASTRA_FORBIDDEN without the scope `admin`; ASTRA_NOT_FOUND */
  delete(name: string, options?: CallOptions): Promise<void>;
}

const limitPath = (name: string) => `v1/limits/${encodeURIComponent(name)}`;

export function createLimits(transport: Transport): Limits {
  return {
    list: (query = {}, options) => readPage(transport, 'v1/limits', { ...query }, options),
    all: (query = {}, options) => readPages(transport, 'v1/limits', { ...query }, options),
    async get(name, { signal } = {}) {
      return (await transport.json<Limit>(limitPath(name), { signal })).body;
    },
    async put(name, definition, { signal } = {}) {
      const request = { method: 'PUT', body: definition, signal } as const;
      return (await transport.json<Limit>(limitPath(name), request)).body;
    },
    async delete(name, { signal } = {}) {
      await transport.json(limitPath(name), { method: 'DELETE', signal });
    },
  };
}
