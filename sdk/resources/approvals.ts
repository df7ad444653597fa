import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { Approval, CallOptions, Decision } from '../types.ts';

export interface ApprovalFilters extends PageQuery {
  readonly status?: Approval['status'] | undefined;
  readonly goalId?: string | undefined;
}

export interface Approvals {
  /** One page. */
  list(filters?: ApprovalFilters, options?: CallOptions): Promise<Page<Approval>>;
  /** Every approval that matches, page after page. */
  all(filters?: ApprovalFilters, options?: CallOptions): AsyncGenerator<Approval, void, undefined>;
  /** @throws ASTRA_NOT_FOUND */
  get(id: string, options?: CallOptions): Promise<Approval>;
  /** Gives the caller's vote. @throws ASTRA_APPROVAL_DECIDED when it came too late. */
  decide(id: string, decision: Decision, options?: CallOptions): Promise<Approval>;
}

const approvalPath = (id: string) => `v1/approvals/${encodeURIComponent(id)}`;

export function createApprovals(transport: Transport): Approvals {
  return {
    list: (filters = {}, options) => readPage(transport, 'v1/approvals', { ...filters }, options),
    all: (filters = {}, options) => readPages(transport, 'v1/approvals', { ...filters }, options),
    async get(id, { signal } = {}) {
      return (await transport.json<Approval>(approvalPath(id), { signal })).body;
    },
    async decide(id, decision, { signal } = {}) {
      const request = { method: 'POST', body: decision, signal } as const;
      return (await transport.json<Approval>(`${approvalPath(id)}/decisions`, request)).body;
    },
  };
}
