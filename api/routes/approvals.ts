import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { approvalSchema, decisionSchema, type Approval, type Decision } from '../../domain/schemas/approval.ts';
import { budgetAmountsSchema } from '../../domain/schemas/budget.ts';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import { faultsError, tryParse } from '../../domain/schemas/parse.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { decideApproval } from '../goals/decide-approval.ts';
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

const decide = createRoute({
  method: 'post',
  path: '/v1/approvals/{approvalId}/decisions',
  operationId: 'decideApproval',
  tags: ['approvals'],
  summary: 'Decide an approval',
  description: 'The token’s subject votes. One rejection rejects; `required` approvals by different subjects approve.',
  ...secured('approvals:write'),
  request: { params: approvalParams, query: noQuery },
  ...jsonBody('Decision'),
  responses: answers({ 200: jsonAnswer('The approval with the vote', 'Approval') }, [
    'ASTRA_NOT_FOUND',
    'ASTRA_APPROVAL_DECIDED',
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

export function mountApprovals(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { approvals, hotViews, temporal } = deps;

  async function readApproval(tenant: string, approvalId: string): Promise<Approval> {
    const approval = await approvals.get(tenant, approvalId);
    if (!approval) throw new AstraError('ASTRA_NOT_FOUND', `There is no approval ${approvalId}.`);
    return approval;
  }

  app.openapi(list, async (c) => {
    const { status, goalId, ...page } = c.req.valid('query');
    return c.json(await approvals.list(c.get('principal').tenant, { status, goalId }, page), 200);
  });

  app.openapi(get, async (c) =>
    c.json(await readApproval(c.get('principal').tenant, c.req.valid('param').approvalId), 200),
  );

  app.openapi(decide, async (c) => {
    const { tenant, subject } = c.get('principal');
    const decision = await readBody(c, decisionSchema);
    // The row is the tenant's own; so is the goal it names.
    const before = await readApproval(tenant, c.req.valid('param').approvalId);
    if (before.status !== 'pending') {
      throw new AstraError('ASTRA_APPROVAL_DECIDED', `The approval is ${before.status} already.`);
    }
    requireLimits(before, decision);
    const at = new Date().toISOString();
    const { status } = await decideApproval(temporal, before.goalId, { approvalId: before.id, subject, decision, at });
    hotViews.forget({ tenant, goalId: before.goalId });
    // The vote counts now. An answer that cannot be read back is told from what is known.
    const after = await approvals.get(tenant, before.id).catch(() => null);
    const vote = { subject, decision: decision.decision, comment: decision.comment ?? null, at };
    return c.json(after ?? { ...before, status, votes: [...before.votes, vote] }, 200);
  });
}

/** What replaces the input of a question for budget is the new limits. @throws ASTRA_BODY_INVALID */
function requireLimits({ kind }: Approval, { editedInput }: Decision): void {
  if (kind !== 'budget' || editedInput === undefined) return;
  const { faults } = tryParse(budgetAmountsSchema, editedInput);
  const ofBody = faults.map(({ pointer, message }) => ({ pointer: `/editedInput${pointer}`, message }));
  if (ofBody.length > 0) throw faultsError(ofBody, 'ASTRA_BODY_INVALID', 'The body is not valid');
}
