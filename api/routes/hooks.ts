import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { goalHeadOf } from '../../domain/goal-head.ts';
import { acceptedState } from '../../domain/goal-record.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { createSubmitGoal } from '../goals/submit-goal.ts';
import { startGoalByHook } from '../hooks/start-goal.ts';
import { requireQuota } from '../middleware/rate-limit.ts';
import { jsonAnswer, jsonBody, problems } from '../openapi/describe.ts';
import { hookParams } from '../params.ts';
import type { WriteQuota } from '../write-quota.ts';

const receive = createRoute({
  method: 'post',
  path: '/hooks/{hookId}',
  operationId: 'receiveWebhook',
  tags: ['inbound webhooks'],
  summary: 'Send a signed message, which starts a goal',
  description:
    'For whoever an inbound webhook was created for: without a token, signed as the webhook says. The same message starts no second goal.',
  request: { params: hookParams },
  ...jsonBody('Json'),
  responses: {
    202: jsonAnswer('The goal is accepted', 'InboundReceipt'),
    200: jsonAnswer('The goal that the same message started before', 'InboundReceipt'),
    ...problems([
      'ASTRA_PARAMETER_INVALID',
      'ASTRA_SIGNATURE_INVALID',
      'ASTRA_NOT_FOUND',
      'ASTRA_BODY_TOO_LARGE',
      'ASTRA_BODY_INVALID',
      'ASTRA_EXPRESSION_FAILED',
      'ASTRA_TEMPLATE_INVALID',
      'ASTRA_SECRETS_NOT_CONFIGURED',
      'ASTRA_RATE_LIMITED',
      'ASTRA_OVERLOADED',
      'ASTRA_INTERNAL',
      'ASTRA_UNAVAILABLE',
    ]),
  },
});

export function mountHooks(app: OpenAPIHono<ApiEnv>, deps: ApiDeps & { readonly writes: WriteQuota }): void {
  const { config, reader, inboundWebhooks, writes } = deps;
  const links = createGoalLinks(config);
  const hookDeps = {
    inboundWebhooks,
    submitGoal: createSubmitGoal({ ...deps, model: config.ASTRA_MODEL }),
    requireQuota: async (tenant: string) => requireQuota(await writes.take(tenant), config.ASTRA_RATE_LIMIT_PER_SECOND),
  };

  app.openapi(receive, async (c) => {
    const { goalId, started } = await startGoalByHook(hookDeps, c.req.valid('param').hookId, {
      message: { header: (name) => c.req.header(name), body: Buffer.from(await c.req.arrayBuffer()) },
    });
    c.header('location', links.url(goalId));
    // So that a read that follows finds it before its first event is recorded.
    if (started) await reader.seed(goalHeadOf(started), acceptedState);
    return c.json({ goalId }, started ? 202 : 200);
  });
}
