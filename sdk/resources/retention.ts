import type { Transport } from '../transport.ts';
import type { CallOptions, Retention } from '../types.ts';

export interface RetentionResource {
  /** How long goals are kept, by how they ended; those of a status that is not there are kept for ever. */
  get(options?: CallOptions): Promise<Retention>;
  /** Replaces the whole policy. Needs the scope `admin`. @throws ASTRA_BODY_INVALID with `faults` */
  set(retention: Retention, options?: CallOptions): Promise<Retention>;
}

const path = 'v1/retention';

export function createRetention(transport: Transport): RetentionResource {
  return {
    async get({ signal } = {}) {
      return (await transport.json<Retention>(path, { signal })).body;
    },
    async set(retention, { signal } = {}) {
      return (await transport.json<Retention>(path, { method: 'PUT', body: retention, signal })).body;
    },
  };
}
