import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { policySchema } from '../../domain/schemas/approval-policy.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { noQuery } from '../params.ts';

const get = createRoute({
  method: 'get',
  path: '/v1/approval-policies',
  operationId: 'getApprovalPolicies',
  tags: ['approvals'],
  summary: 'Read which tool calls ask people first',
  ...secured('goals:read'),
  request: { query: noQuery },
  responses: answers({ 200: jsonAnswer('The tenant’s rules, the first that matches first', 'ApprovalPolicies') }),
});

const put = createRoute({
  method: 'put',
  path: '/v1/approval-policies',
  operationId: 'putApprovalPolicies',
  tags: ['approvals'],
  summary: 'Replace the rules',
  description:
    'The first rule that matches a call decides; without one calls of high risk ask and all others run. In force within a second.',
  ...secured('admin'),
  request: { query: noQuery },
  ...jsonBody('ApprovalPolicyRules'),
  responses: answers({ 200: jsonAnswer('The rules as they are now', 'ApprovalPolicies') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

export function mountApprovalPolicies(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'approvalPolicies'>): void {
  const { approvalPolicies } = deps;

  app.openapi(get, async (c) => c.json(await approvalPolicies.get(c.get('principal').tenant), 200));

  app.openapi(put, async (c) => {
    const { tenant, subject } = c.get('principal');
    const policy = await readBody(c, policySchema);
    return c.json(await approvalPolicies.put(tenant, policy, subject), 200);
  });
}
