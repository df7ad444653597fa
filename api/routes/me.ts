import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../context.ts';
import { answers, jsonAnswer } from '../openapi/describe.ts';
import { noQuery } from '../params.ts';

const me = createRoute({
  method: 'get',
  path: '/v1/me',
  operationId: 'getMe',
  tags: ['identity'],
  summary: 'Say who the token belongs to and what it allows',
  security: [{ bearer: [] }],
  request: { query: noQuery },
  responses: answers({ 200: jsonAnswer('The token’s claims', 'Me') }),
});

export function mountMe(app: OpenAPIHono<ApiEnv>): void {
  app.openapi(me, (c) => {
    const { subject, tenant, scopes } = c.get('principal');
    return c.json({ subject, tenant, scopes: [...scopes] }, 200);
  });
}
