import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { voteRefusal, type Voter } from '../../domain/approvals/electorate.ts';
import { AstraError } from '../../domain/errors.ts';
import {
  approvalSchema,
  decisionSchema,
  delegationRequestSchema,
  type Approval,
  type ApprovalView,
  type Decision,
} from '../../domain/schemas/approval.ts';
import { budgetAmountsSchema } from '../../domain/schemas/budget.ts';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import { faultsError, tryParse } from '../../domain/schemas/parse.ts';
import { readBody } from '../body.ts';
import type { ApiEnv, Principal } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { checkEditedInput } from '../goals/check-edited-input.ts';
import { decideApproval, delegateApproval } from '../goals/decide-approval.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { approvalParams, noQuery, pageQuery } from '../params.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/approvals',
  operationId: 'listApprovals',
  tags: ['approvals'],
  summary: 'List approvals, newest first',
  ...secured('goals:read'),
  request: {
    query: z.strictObject({
      ...pageQuery,
      status: approvalSchema.shape.status.optional(),
      goalId: goalIdSchema.optional(),
    }),
  },
  responses: answers({ 200: jsonAnswer('A page of approvals', 'ApprovalList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/approvals/{approvalId}',
  operationId: 'getApproval',
  tags: ['approvals'],
  summary: 'Read an approval',
  ...secured('goals:read'),
  request: { params: approvalParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The approval', 'Approval') }, ['ASTRA_NOT_FOUND']),
});

const ballotCodes = [
  'ASTRA_NOT_FOUND',
  'ASTRA_APPROVAL_DECIDED',
  'ASTRA_BODY_INVALID',
  'ASTRA_BODY_TOO_LARGE',
  'ASTRA_MEDIA_TYPE_UNSUPPORTED',
] as const;

const decide = createRoute({
  method: 'post',
  path: '/v1/approvals/{approvalId}/decisions',
  operationId: 'decideApproval',
  tags: ['approvals'],
  summary: 'Decide an approval',
  description:
    'The token’s subject votes, if the approval’s deciders name it. One rejection rejects; `required` approvals of the same input, by ' +
    'different subjects, approve.',
  ...secured('approvals:write'),
  request: { params: approvalParams, query: noQuery },
  ...jsonBody('Decision'),
  responses: answers({ 200: jsonAnswer('The approval with the vote', 'Approval') }, [
    ...ballotCodes,
    'ASTRA_APPROVAL_EDITED',
  ]),
});

const delegate = createRoute({
  method: 'post',
  path: '/v1/approvals/{approvalId}/delegations',
  operationId: 'delegateApproval',
  tags: ['approvals'],
  summary: 'Pass one’s vote on to another subject',
  description:
    'The token’s subject has no vote any more, and the other has it, named by the approval’s deciders or not.',
  ...secured('approvals:write'),
  request: { params: approvalParams, query: noQuery },
  ...jsonBody('DelegationRequest'),
  responses: answers({ 200: jsonAnswer('The approval with the delegation', 'Approval') }, [
    ...ballotCodes,
    'ASTRA_DELEGATION_INVALID',
  ]),
});

export function mountApprovals(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { approvals, hotViews, temporal, catalogue } = deps;

  async function readApproval(tenant: string, approvalId: string): Promise<ApprovalView> {
    const approval = await approvals.get(tenant, approvalId);
    if (!approval) throw new AstraError('ASTRA_NOT_FOUND', `There is no approval ${approvalId}.`);
    return approval;
  }

  /** What the goal is told of a decision: of a risky task's edited input its hash, for data stays out of histories. */
  async function ballotOf(
    tenant: string,
    approval: Approval,
    decision: Decision,
  ): Promise<{ readonly decision: Decision; readonly editedInputSha256?: string }> {
    const { editedInput, ...plain } = decision;
    if (editedInput === undefined || decision.decision === 'rejected') return { decision: plain };
    await checkEditedInput(catalogue, approval, editedInput);
    const editedInputSha256 = await approvals.keepEdit(tenant, approval, editedInput);
    return { decision: approval.kind === 'risky_task' ? plain : decision, editedInputSha256 };
  }

  app.openapi(list, async (c) => {
    const { status, goalId, ...page } = c.req.valid('query');
    return c.json(await approvals.list(c.get('principal').tenant, { status, goalId }, page), 200);
  });

  app.openapi(get, async (c) =>
    c.json(await readApproval(c.get('principal').tenant, c.req.valid('param').approvalId), 200),
  );

  app.openapi(decide, async (c) => {
    const { tenant } = c.get('principal');
    const decision = await readBody(c, decisionSchema);
    // The row is the tenant's own; so is the goal it names.
    const before = await readApproval(tenant, c.req.valid('param').approvalId);
    const voter = requireVoter(before, c.get('principal'));
    requireLimits(before, decision);
    const ballot = await ballotOf(tenant, before, decision);
    const at = new Date().toISOString();
    const args = { approvalId: before.id, ...voter, ...ballot, at };
    const { status } = await decideApproval(temporal, before.goalId, args);
    hotViews.forget({ tenant, goalId: before.goalId });
    // The vote counts now. An answer that cannot be read back is told from what is known.
    const after = await approvals.get(tenant, before.id).catch(() => null);
    const vote = { subject: voter.subject, decision: decision.decision, comment: decision.comment ?? null, at };
    return c.json(after ?? { ...before, status, votes: [...before.votes, vote] }, 200);
  });

  app.openapi(delegate, async (c) => {
    const { tenant, subject: from } = c.get('principal');
    const { to, comment = null } = await readBody(c, delegationRequestSchema);
    const before = await readApproval(tenant, c.req.valid('param').approvalId);
    // Sent twice, it is done already.
    if (before.delegations.some((each) => each.from === from && each.to === to)) return c.json(before, 200);
    const voter = requireVoter(before, c.get('principal'));
    const at = new Date().toISOString();
    await delegateApproval(temporal, before.goalId, { approvalId: before.id, ...voter, to, comment, at });
    hotViews.forget({ tenant, goalId: before.goalId });
    const after = await approvals.get(tenant, before.id).catch(() => null);
    return c.json(after ?? { ...before, delegations: [...before.delegations, { from, to, comment, at }] }, 200);
  });
}

/** The goal looks at all this again when the vote comes; before, nothing of a stranger's is kept. */
function requireVoter(approval: Approval, { subject, claimedScopes }: Principal): Voter {
  if (approval.status !== 'pending') {
    throw new AstraError('ASTRA_APPROVAL_DECIDED', `The approval is ${approval.status} already.`);
  }
  if (approval.votes.some((vote) => vote.subject === subject)) {
    throw new AstraError('ASTRA_APPROVAL_DECIDED', 'You have voted already; others are still to decide.');
  }
  const scopes = (approval.deciders?.scopes ?? []).filter((scope) => claimedScopes.has(scope));
  const refusal = voteRefusal(approval, { subject, scopes });
  if (refusal !== null) throw new AstraError('ASTRA_FORBIDDEN', refusal);
  return { subject, scopes };
}

/** What replaces the input of a question for budget is the new limits. @throws ASTRA_BODY_INVALID */
function requireLimits({ kind }: Approval, { editedInput }: Decision): void {
  if (kind !== 'budget' || editedInput === undefined) return;
  const { faults } = tryParse(budgetAmountsSchema, editedInput);
  const ofBody = faults.map(({ pointer, message }) => ({ pointer: `/editedInput${pointer}`, message }));
  if (ofBody.length > 0) throw faultsError(ofBody, 'ASTRA_BODY_INVALID', 'The body is not valid');
}
