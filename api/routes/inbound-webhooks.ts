import { isDeepStrictEqual } from 'node:util';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { AstraError } from '../../domain/errors.ts';
import { checkInboundParams } from '../../domain/inbound-params.ts';
import {
  inboundWebhookDefinitionSchema,
  type InboundWebhook,
  type InboundWebhookDefinition,
} from '../../domain/schemas/inbound-webhook.ts';
import { faultsError } from '../../domain/schemas/parse.ts';
import type { StoredInboundWebhook } from '../../stores/postgres/inbound-webhooks.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { hookParams, idempotencyHeaders, noQuery, pageQuery } from '../params.ts';
import { createResourceId } from '../resource-id.ts';
import { keyConflict, tooManyWebhooks } from './webhooks.ts';

const bodyCodes = [
  'ASTRA_BODY_INVALID',
  'ASTRA_BODY_TOO_LARGE',
  'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  'ASTRA_TEMPLATE_INVALID',
  'ASTRA_SECRETS_NOT_CONFIGURED',
] as const;

const create = createRoute({
  method: 'post',
  path: '/v1/inbound-webhooks',
  operationId: 'createInboundWebhook',
  tags: ['inbound webhooks'],
  summary: 'Let signed messages from outside start goals of a template',
  description: 'The answer has the URL to send them to. The secret is never shown again.',
  ...secured('admin'),
  request: { query: noQuery, headers: idempotencyHeaders },
  ...jsonBody('InboundWebhookDefinition'),
  responses: answers(
    {
      201: jsonAnswer('Created', 'InboundWebhook'),
      200: jsonAnswer('What the same key and body created before', 'InboundWebhook'),
    },
    [...bodyCodes, 'ASTRA_IDEMPOTENCY_CONFLICT', 'ASTRA_WEBHOOK_LIMIT'],
  ),
});

const list = createRoute({
  method: 'get',
  path: '/v1/inbound-webhooks',
  operationId: 'listInboundWebhooks',
  tags: ['inbound webhooks'],
  summary: 'List inbound webhooks, newest first',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of inbound webhooks', 'InboundWebhookList') }),
});

const one = { path: '/v1/inbound-webhooks/{hookId}', tags: ['inbound webhooks'] };

const get = createRoute({
  ...one,
  method: 'get',
  operationId: 'getInboundWebhook',
  summary: 'Read an inbound webhook',
  ...secured('goals:read'),
  request: { params: hookParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The inbound webhook', 'InboundWebhook') }, ['ASTRA_NOT_FOUND']),
});

const replace = createRoute({
  ...one,
  method: 'put',
  operationId: 'replaceInboundWebhook',
  summary: 'Replace what an inbound webhook does, and its secret',
  description: 'Its URL stays.',
  ...secured('admin'),
  request: { params: hookParams, query: noQuery },
  ...jsonBody('InboundWebhookDefinition'),
  responses: answers({ 200: jsonAnswer('Replaced', 'InboundWebhook') }, [...bodyCodes, 'ASTRA_NOT_FOUND']),
});

const remove = createRoute({
  ...one,
  method: 'delete',
  operationId: 'deleteInboundWebhook',
  summary: 'Delete an inbound webhook',
  description: 'Goals that it has started go on.',
  ...secured('admin'),
  request: { params: hookParams, query: noQuery },
  responses: answers({ 204: { description: 'Deleted' } }, ['ASTRA_NOT_FOUND']),
});

type Deps = Pick<ApiDeps, 'inboundWebhooks' | 'templates' | 'config'>;

export function mountInboundWebhooks(app: OpenAPIHono<ApiEnv>, deps: Deps): void {
  const { inboundWebhooks, config } = deps;
  const hooks = `${config.ASTRA_PUBLIC_URL.replace(/\/$/, '')}/hooks`;
  const shown = (webhook: StoredInboundWebhook): InboundWebhook => ({ ...webhook, url: `${hooks}/${webhook.id}` });

  async function readDefinition(c: Context<ApiEnv>): Promise<InboundWebhookDefinition> {
    const definition = await readBody(c, inboundWebhookDefinitionSchema);
    await requireUsable(deps, c.get('principal').tenant, definition);
    return definition;
  }

  app.openapi(create, async (c) => {
    const { tenant } = c.get('principal');
    const definition = await readDefinition(c);
    const id = createResourceId('inb', tenant, { idempotencyKey: c.req.valid('header')['idempotency-key'] });
    const created = await inboundWebhooks.create(tenant, { ...definition, id });
    if (created) return c.json(shown(created), 201);
    return c.json(shown(await requireSame(inboundWebhooks, { ...definition, id })), 200);
  });

  app.openapi(list, async (c) => {
    const { items, nextCursor } = await inboundWebhooks.list(c.get('principal').tenant, c.req.valid('query'));
    return c.json({ items: items.map(shown), nextCursor }, 200);
  });

  app.openapi(get, async (c) => {
    const { hookId } = c.req.valid('param');
    const webhook = await inboundWebhooks.get(c.get('principal').tenant, hookId);
    if (!webhook) throw notFound(hookId);
    return c.json(shown(webhook), 200);
  });

  app.openapi(replace, async (c) => {
    const { hookId } = c.req.valid('param');
    const definition = await readDefinition(c);
    const replaced = await inboundWebhooks.replace(c.get('principal').tenant, { ...definition, id: hookId });
    if (!replaced) throw notFound(hookId);
    return c.json(shown(replaced), 200);
  });

  app.openapi(remove, async (c) => {
    const { hookId } = c.req.valid('param');
    if (!(await inboundWebhooks.delete(c.get('principal').tenant, hookId))) throw notFound(hookId);
    return c.body(null, 204);
  });
}

const notFound = (id: string): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `There is no inbound webhook ${id}. GET /v1/inbound-webhooks lists them.`);

/** @throws ASTRA_BODY_INVALID, ASTRA_TEMPLATE_INVALID */
async function requireUsable(
  { templates }: Pick<ApiDeps, 'templates'>,
  tenant: string,
  { params, template }: InboundWebhookDefinition,
): Promise<void> {
  const faults = checkInboundParams(params);
  if (faults.length > 0) throw faultsError(faults, 'ASTRA_BODY_INVALID', 'The body is not valid');
  if (await templates.get(tenant, template)) return;
  throw new AstraError('ASTRA_TEMPLATE_INVALID', `There is no template "${template}". GET /v1/templates lists them.`, {
    faults: [{ pointer: '/template', message: 'is not a template of this tenant' }],
  });
}

/** Why none was created: there is one of this id, and it must be the one that is wanted; or there are too many. */
async function requireSame(
  inboundWebhooks: Pick<ApiDeps['inboundWebhooks'], 'open'>,
  { id, ...wanted }: InboundWebhookDefinition & { readonly id: string },
): Promise<StoredInboundWebhook> {
  const earlier = await inboundWebhooks.open(id);
  if (!earlier) throw tooManyWebhooks();
  const { name, template, params, signature } = earlier.webhook;
  const definition = { name, template, params, signature: { ...signature, secret: earlier.secret } };
  if (!isDeepStrictEqual(definition, wanted)) throw keyConflict(id);
  return earlier.webhook;
}
