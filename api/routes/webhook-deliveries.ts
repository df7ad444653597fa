import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { callbackId, deliverySchema } from '../../domain/schemas/webhook.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, noBody, secured } from '../openapi/describe.ts';
import { deliveryParams, noQuery, pageQuery, senderParams } from '../params.ts';
import { requireWebhook } from './webhooks.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/webhooks/{webhookId}/deliveries',
  operationId: 'listWebhookDeliveries',
  tags: ['webhooks'],
  summary: 'List what was sent to a webhook, or with `callback` to the `callbackUrl`s of goals, newest first',
  ...secured('goals:read'),
  request: {
    params: senderParams,
    query: z.strictObject({ ...pageQuery, status: deliverySchema.shape.status.optional() }),
  },
  responses: answers({ 200: jsonAnswer('A page of deliveries', 'WebhookDeliveryList') }, ['ASTRA_NOT_FOUND']),
});

const replay = createRoute({
  method: 'post',
  path: '/v1/webhooks/{webhookId}/deliveries/{deliveryId}/replay',
  operationId: 'replayWebhookDelivery',
  tags: ['webhooks'],
  summary: 'Send a delivery again',
  description: 'Whatever came of it, under the same `webhook-id`, and for another 24 hours if need be.',
  ...secured('goals:write'),
  request: { params: deliveryParams, query: noQuery },
  ...noBody,
  responses: answers({ 202: jsonAnswer('It will be sent at once', 'WebhookDelivery') }, [
    'ASTRA_NOT_FOUND',
    'ASTRA_WEBHOOK_DISABLED',
  ]),
});

export function mountWebhookDeliveries(
  app: OpenAPIHono<ApiEnv>,
  { webhooks, deliveryLog }: Pick<ApiDeps, 'webhooks' | 'deliveryLog'>,
): void {
  app.openapi(list, async (c) => {
    const { tenant } = c.get('principal');
    const { webhookId } = c.req.valid('param');
    const { status, ...page } = c.req.valid('query');
    if (webhookId !== callbackId) await requireWebhook(webhooks, tenant, webhookId);
    return c.json(await deliveryLog.list(tenant, { webhookId, status }, page), 200);
  });

  app.openapi(replay, async (c) => {
    const { tenant } = c.get('principal');
    const { webhookId, deliveryId } = c.req.valid('param');
    if (webhookId !== callbackId) await requireEnabled(webhooks, tenant, webhookId);
    const delivery = await deliveryLog.replay(tenant, webhookId, { id: deliveryId });
    if (!delivery) throw new AstraError('ASTRA_NOT_FOUND', `The webhook has no delivery ${deliveryId}.`);
    return c.json(delivery, 202);
  });
}

/** @throws ASTRA_NOT_FOUND, ASTRA_WEBHOOK_DISABLED */
async function requireEnabled(
  webhooks: Pick<ApiDeps['webhooks'], 'get'>,
  tenant: string,
  webhookId: string,
): Promise<void> {
  const { status } = await requireWebhook(webhooks, tenant, webhookId);
  if (status === 'enabled') return;
  throw new AstraError(
    'ASTRA_WEBHOOK_DISABLED',
    'Its receiver answered 410, which disabled the webhook. Delete it and create another one.',
  );
}
