import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { parseLimitKey } from '../../domain/limit-key.ts';
import { limits as bounds } from '../../domain/limits.ts';
import { limitDefinitionSchema, type LimitDefinition } from '../../domain/schemas/limit.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { limitParams, noQuery, pageQuery } from '../params.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/limits',
  operationId: 'listLimits',
  tags: ['limits'],
  summary: 'List limits by name',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of limits', 'LimitList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/limits/{name}',
  operationId: 'getLimit',
  tags: ['limits'],
  summary: 'Read a limit, and how many goals or calls hold and want its places',
  ...secured('goals:read'),
  request: { params: limitParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The limit', 'Limit') }, ['ASTRA_NOT_FOUND']),
});

const put = createRoute({
  method: 'put',
  path: '/v1/limits/{name}',
  operationId: 'putLimit',
  tags: ['limits'],
  summary: 'Create or change a limit',
  description:
    'In force within a second. What goes on goes on, also beyond a limit that was lowered; what waits is asked again. Needs `admin`: whoever ' +
    'is limited must not change the limit.',
  ...secured('admin'),
  request: { params: limitParams, query: noQuery },
  ...jsonBody('LimitDefinition'),
  responses: answers({ 200: jsonAnswer('Changed', 'Limit'), 201: jsonAnswer('Created', 'Limit') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

const remove = createRoute({
  method: 'delete',
  path: '/v1/limits/{name}',
  operationId: 'deleteLimit',
  tags: ['limits'],
  summary: 'Delete a limit',
  description: 'What waits for it begins.',
  ...secured('admin'),
  request: { params: limitParams, query: noQuery },
  responses: answers({ 204: { description: 'Deleted' } }, ['ASTRA_NOT_FOUND']),
});

const tooMany = (): AstraError =>
  new AstraError('ASTRA_BODY_INVALID', `A tenant has at most ${bounds.flowLimits} limits. Delete one, or change one.`);
const notFound = (name: string): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `There is no limit "${name}". GET /v1/limits lists them.`);

export function mountLimits(
  app: OpenAPIHono<ApiEnv>,
  { limits, limitWaiters, engine }: Pick<ApiDeps, 'limits' | 'limitWaiters' | 'engine'>,
): void {
  /** The workers look after those that this leaves out, and after all when this process dies here. */
  async function tellWaiting(tenant: string, name: string): Promise<void> {
    const waiting = await limitWaiters.at(tenant, name);
    await engine.slotsFreed(waiting.map(({ goalId }) => goalId));
  }

  app.openapi(list, async (c) => c.json(await limits.list(c.get('principal').tenant, c.req.valid('query')), 200));

  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const limit = await limits.get(c.get('principal').tenant, name);
    if (!limit) throw notFound(name);
    return c.json(limit, 200);
  });

  app.openapi(put, async (c) => {
    const { tenant } = c.get('principal');
    const { name } = c.req.valid('param');
    const definition = await readBody(c, limitDefinitionSchema);
    requireKey(definition);
    const outcome = await limits.put(tenant, name, definition);
    if (outcome === 'full') throw tooMany();
    await tellWaiting(tenant, name);
    return c.json(await limits.get(tenant, name), outcome === 'created' ? 201 : 200);
  });

  app.openapi(remove, async (c) => {
    const { tenant } = c.get('principal');
    const { name } = c.req.valid('param');
    if (!(await limits.delete(tenant, name))) throw notFound(name);
    await tellWaiting(tenant, name);
    return c.body(null, 204);
  });
}

/** @throws ASTRA_BODY_INVALID */
function requireKey(definition: LimitDefinition): void {
  try {
    parseLimitKey(definition);
  } catch (cause) {
    if (!(cause instanceof AstraError)) throw cause;
    const { message } = cause;
    throw new AstraError('ASTRA_BODY_INVALID', `The key is not valid: ${message}`, {
      faults: [{ pointer: '/key', message }],
      cause,
    });
  }
}
