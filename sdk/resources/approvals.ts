import { readPage, readPages, type Page, type PageQuery } from '../pages.ts';
import type { Transport } from '../transport.ts';
import type { Approval, CallOptions, Decision, DelegationRequest } from '../types.ts';

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
  /**
   * Gives the caller's vote.
   * @throws ASTRA_APPROVAL_DECIDED when it came too late; ASTRA_APPROVAL_EDITED when others have approved another input;
   * ASTRA_FORBIDDEN, saying who may vote; ASTRA_BODY_INVALID with `faults` for an edited input that the tool does not take
   */
  decide(id: string, decision: Decision, options?: CallOptions): Promise<Approval>;
  /**
   * Passes the caller's vote on to another subject. Once more changes nothing.
   * @throws ASTRA_DELEGATION_INVALID when the other has a vote already, or the vote was passed on too often; ASTRA_FORBIDDEN
   */
  delegate(id: string, delegation: DelegationRequest, options?: CallOptions): Promise<Approval>;
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
    async delegate(id, delegation, { signal } = {}) {
      const request = { method: 'POST', body: delegation, idempotent: true, signal } as const;
      return (await transport.json<Approval>(`${approvalPath(id)}/delegations`, request)).body;
    },
  };
}
