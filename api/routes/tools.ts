import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { decodeCursor, toPage } from '../../stores/postgres/cursor.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, secured } from '../openapi/describe.ts';
import { noQuery, pageQuery, toolParams } from '../params.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/tools',
  operationId: 'listTools',
  tags: ['tools'],
  summary: 'List the tools that plans may use',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of tool manifests, by name', 'ToolList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/tools/{name}',
  operationId: 'getTool',
  tags: ['tools'],
  summary: 'Read a tool’s manifest',
  ...secured('goals:read'),
  request: { params: toolParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The manifest', 'Tool') }, ['ASTRA_NOT_FOUND']),
});

export function mountTools(app: OpenAPIHono<ApiEnv>, { catalogue }: Pick<ApiDeps, 'catalogue'>): void {
  app.openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid('query');
    const after = decodeCursor(cursor, toolParams.shape.name)?.key ?? '';
    const names = [...(await catalogue()).values()].filter(({ name }) => name > after);
    names.sort((a, b) => (a.name < b.name ? -1 : 1));
    return c.json(
      toPage(names, limit, { item: (tool) => tool, position: ({ name }) => ({ key: name, id: name }) }),
      200,
    );
  });

  app.openapi(get, async (c) => {
    const { name } = c.req.valid('param');
    const tool = (await catalogue()).get(name);
    if (!tool) throw new AstraError('ASTRA_NOT_FOUND', `There is no tool "${name}". GET /v1/tools lists them.`);
    return c.json(tool, 200);
  });
}
