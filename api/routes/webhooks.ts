import { isDeepStrictEqual } from 'node:util';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import {
  callbackId,
  webhookDefinitionSchema,
  type Webhook,
  type WebhookDefinition,
} from '../../domain/schemas/webhook.ts';
import { newSigningSecret, secretNames } from '../../stores/postgres/signing-secrets.ts';
import { announceWebhookChange } from '../../stores/webhook-subscriptions.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, noBody, secured } from '../openapi/describe.ts';
import { idempotencyHeaders, noQuery, pageQuery, senderParams, webhookParams } from '../params.ts';
import { createResourceId } from '../resource-id.ts';

const create = createRoute({
  method: 'post',
  path: '/v1/webhooks',
  operationId: 'createWebhook',
  tags: ['webhooks'],
  summary: 'Have events sent to a URL',
  description:
    'In force within a second. The answer has the secret that messages are signed with, and no other answer will; the same `Idempotency-Key` ' +
    'and body give the same answer again.',
  ...secured('admin'),
  request: { query: noQuery, headers: idempotencyHeaders },
  ...jsonBody('WebhookDefinition'),
  responses: answers(
    {
      201: jsonAnswer('Created', 'NewWebhook'),
      200: jsonAnswer('What the same key and body created before', 'NewWebhook'),
    },
    [
      'ASTRA_BODY_INVALID',
      'ASTRA_BODY_TOO_LARGE',
      'ASTRA_MEDIA_TYPE_UNSUPPORTED',
      'ASTRA_IDEMPOTENCY_CONFLICT',
      'ASTRA_WEBHOOK_LIMIT',
      'ASTRA_SECRETS_NOT_CONFIGURED',
    ],
  ),
});

const list = createRoute({
  method: 'get',
  path: '/v1/webhooks',
  operationId: 'listWebhooks',
  tags: ['webhooks'],
  summary: 'List webhooks, newest first',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of webhooks', 'WebhookList') }),
});

const readCallbackSecret = createRoute({
  method: 'get',
  path: '/v1/webhooks/callback-secret',
  operationId: 'getCallbackSecret',
  tags: ['webhooks'],
  summary: 'Read what messages to the `callbackUrl`s of goals are signed with',
  ...secured('admin'),
  request: { query: noQuery },
  responses: answers({ 200: jsonAnswer('The tenant’s secret', 'WebhookSecret') }, ['ASTRA_SECRETS_NOT_CONFIGURED']),
});

const get = createRoute({
  method: 'get',
  path: '/v1/webhooks/{webhookId}',
  operationId: 'getWebhook',
  tags: ['webhooks'],
  summary: 'Read a webhook',
  ...secured('goals:read'),
  request: { params: webhookParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The webhook', 'Webhook') }, ['ASTRA_NOT_FOUND']),
});

const remove = createRoute({
  method: 'delete',
  path: '/v1/webhooks/{webhookId}',
  operationId: 'deleteWebhook',
  tags: ['webhooks'],
  summary: 'Delete a webhook, its deliveries too',
  ...secured('admin'),
  request: { params: webhookParams, query: noQuery },
  responses: answers({ 204: { description: 'Deleted' } }, ['ASTRA_NOT_FOUND']),
});

const rotate = createRoute({
  method: 'post',
  path: '/v1/webhooks/{webhookId}/rotate-secret',
  operationId: 'rotateWebhookSecret',
  tags: ['webhooks'],
  summary: 'Replace the secret of a webhook, or with `callback` of callbacks',
  description: 'For a day messages carry a signature by each: receivers may change over at any time in between.',
  ...secured('admin'),
  request: { params: senderParams, query: noQuery },
  ...noBody,
  responses: answers({ 200: jsonAnswer('The new secret', 'WebhookSecret') }, [
    'ASTRA_NOT_FOUND',
    'ASTRA_SECRETS_NOT_CONFIGURED',
  ]),
});

type Deps = Pick<ApiDeps, 'webhooks' | 'signingSecrets' | 'redis'>;

export function mountWebhooks(app: OpenAPIHono<ApiEnv>, deps: Deps): void {
  const { webhooks, signingSecrets, redis } = deps;

  app.openapi(create, async (c) => {
    const { tenant } = c.get('principal');
    const definition = await readBody(c, webhookDefinitionSchema);
    const id = createResourceId('whk', tenant, { idempotencyKey: c.req.valid('header')['idempotency-key'] });
    const secret = newSigningSecret();
    const created = await webhooks.create(tenant, { ...definition, id, secret });
    if (created) {
      await announceWebhookChange(redis);
      return c.json({ ...created, secret }, 201);
    }
    const earlier = await requireSame(webhooks, tenant, { ...definition, id });
    return c.json({ ...earlier, secret: await signingSecrets.ensure(tenant, secretNames.webhook(id)) }, 200);
  });

  app.openapi(list, async (c) => c.json(await webhooks.list(c.get('principal').tenant, c.req.valid('query')), 200));

  app.openapi(readCallbackSecret, async (c) => {
    const secret = await signingSecrets.ensure(c.get('principal').tenant, secretNames.webhook(callbackId));
    return c.json({ secret }, 200);
  });

  app.openapi(get, async (c) =>
    c.json(await requireWebhook(webhooks, c.get('principal').tenant, c.req.valid('param').webhookId), 200),
  );

  app.openapi(remove, async (c) => {
    const { webhookId } = c.req.valid('param');
    if (!(await webhooks.delete(c.get('principal').tenant, webhookId))) throw notFound(webhookId);
    await announceWebhookChange(redis);
    return c.body(null, 204);
  });

  app.openapi(rotate, async (c) => {
    const { tenant } = c.get('principal');
    const { webhookId } = c.req.valid('param');
    if (webhookId !== callbackId) await requireWebhook(webhooks, tenant, webhookId);
    return c.json({ secret: await signingSecrets.rotate(tenant, secretNames.webhook(webhookId)) }, 200);
  });
}

/** @throws ASTRA_NOT_FOUND */
export async function requireWebhook(
  webhooks: Pick<ApiDeps['webhooks'], 'get'>,
  tenant: string,
  webhookId: string,
): Promise<Webhook> {
  const webhook = await webhooks.get(tenant, webhookId);
  if (!webhook) throw notFound(webhookId);
  return webhook;
}

const notFound = (webhookId: string): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `There is no webhook ${webhookId}. GET /v1/webhooks lists them.`);

/** Why none was created: there is one of this id, and it must be the one that is wanted; or there are too many. */
async function requireSame(
  webhooks: Pick<ApiDeps['webhooks'], 'get'>,
  tenant: string,
  { id, ...wanted }: WebhookDefinition & { readonly id: string },
): Promise<Webhook> {
  const earlier = await webhooks.get(tenant, id);
  if (!earlier) throw tooManyWebhooks();
  if (!isDeepStrictEqual({ url: earlier.url, events: earlier.events }, wanted)) throw keyConflict(id);
  return earlier;
}

export const tooManyWebhooks = (): AstraError =>
  new AstraError(
    'ASTRA_WEBHOOK_LIMIT',
    `A tenant has at most ${limits.webhooks} webhooks of a kind. Delete one that is not needed.`,
  );

export const keyConflict = (id: string): AstraError =>
  new AstraError(
    'ASTRA_IDEMPOTENCY_CONFLICT',
    `The Idempotency-Key was used for ${id} with another body. Send the same body, or a new key.`,
  );
