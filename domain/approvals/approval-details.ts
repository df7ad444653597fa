import type { Approval } from '../schemas/approval.ts';

/** What most approvals are without. */
export type ApprovalDetails = Pick<
  Approval,
  | 'agentId'
  | 'tool'
  | 'inputArtifact'
  | 'map'
  | 'change'
  | 'deciders'
  | 'delegations'
  | 'editedInputSha256'
  | 'onExpiry'
>;

export const noDetails: ApprovalDetails = {
  agentId: null,
  tool: null,
  inputArtifact: null,
  map: null,
  change: null,
  deciders: null,
  delegations: [],
  editedInputSha256: null,
  onExpiry: 'reject',
};

export const detailsOf = (approval: Approval): ApprovalDetails => {
  const { agentId, tool, inputArtifact, map, change, deciders, delegations, editedInputSha256, onExpiry } = approval;
  return { agentId, tool, inputArtifact, map, change, deciders, delegations, editedInputSha256, onExpiry };
};

/** May what was asked about be done? Nobody's answer is one, too. */
export const isApproved = ({
  status,
  onExpiry,
}: Pick<Approval, 'status'> & Partial<Pick<Approval, 'onExpiry'>>): boolean =>
  status === 'approved' || (status === 'expired' && onExpiry === 'approve');
