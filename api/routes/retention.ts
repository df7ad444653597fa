import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { retentionSchema } from '../../domain/schemas/retention.ts';
import { retentionWorkflow } from '../../workflows/contract.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { callTemporal } from '../goals/temporal-call.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { noQuery } from '../params.ts';

const get = createRoute({
  method: 'get',
  path: '/v1/retention',
  operationId: 'getRetention',
  tags: ['retention'],
  summary: 'Read how long goals are kept',
  ...secured('goals:read'),
  request: { query: noQuery },
  responses: answers({
    200: jsonAnswer('By how they ended; goals of a status that is not there are kept', 'Retention'),
  }),
});

const put = createRoute({
  method: 'put',
  path: '/v1/retention',
  operationId: 'putRetention',
  tags: ['retention'],
  summary: 'Say how long goals are kept',
  description: 'Replaces the whole policy. It is applied within a minute, to goals that have ended already too.',
  ...secured('admin'),
  request: { query: noQuery },
  ...jsonBody('Retention'),
  responses: answers({ 200: jsonAnswer('As it is now', 'Retention') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

export function mountRetention(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'retention' | 'temporal'>): void {
  const { retention, temporal } = deps;

  app.openapi(get, async (c) => c.json(await retention.get(c.get('principal').tenant), 200));

  app.openapi(put, async (c) => {
    const { tenant } = c.get('principal');
    await retention.put(tenant, await readBody(c, retentionSchema));
    // Without it the sweep looks within a minute all the same.
    const sweep = temporal.workflow.getHandle(retentionWorkflow.id);
    await callTemporal(temporal, () => sweep.signal(retentionWorkflow.wake)).catch(() => undefined);
    return c.json(await retention.get(tenant), 200);
  });
}
