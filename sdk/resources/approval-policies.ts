import type { Transport } from '../transport.ts';
import type { ApprovalPolicies, ApprovalPolicyRule, CallOptions } from '../types.ts';

/** Which tool calls ask people first: the first rule that matches a call counts. */
export interface ApprovalPolicyResource {
  get(options?: CallOptions): Promise<ApprovalPolicies>;
  /**
   * Replaces the rules; in force within a second. Takes the scope `admin`.
   * @throws ASTRA_BODY_INVALID with `faults`; ASTRA_FORBIDDEN
   */
  set(rules: readonly ApprovalPolicyRule[], options?: CallOptions): Promise<ApprovalPolicies>;
}

const path = 'v1/approval-policies';

export function createApprovalPolicies(transport: Transport): ApprovalPolicyResource {
  return {
    async get({ signal } = {}) {
      return (await transport.json<ApprovalPolicies>(path, { signal })).body;
    },
    async set(rules, { signal } = {}) {
      return (await transport.json<ApprovalPolicies>(path, { method: 'PUT', body: { rules }, signal })).body;
    },
  };
}
