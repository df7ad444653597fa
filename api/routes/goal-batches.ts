import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { limits } from '../../domain/limits.ts';
import { readBody, readLines } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { createAcceptGoal } from '../goals/accept-goal.ts';
import { submitBatch } from '../goals/submit-batch.ts';
import { mapInOrder } from '../map-in-order.ts';
import { refTo } from '../openapi/components.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { idempotencyHeader, idempotencyHeaders, noQuery } from '../params.ts';
import type { Problem } from '../problem.ts';
import { cascadeCancelSchema } from '../schemas.ts';
import { streamResponse } from '../stream/stream-response.ts';

const ndjson = 'application/x-ndjson';

const batch = createRoute({
  method: 'post',
  path: '/v1/goals:batch',
  operationId: 'submitGoals',
  tags: ['goals'],
  summary: 'Submit many goals',
  description:
    `A goal a line (at most ${limits.batchItems}), each with the \`idempotencyKey\` it likes; a result a line, in the order of the input, as they ` +
    'are done. A line that is refused says so in its own result. With an `Idempotency-Key` each line without a key has `<key>/<index>`.',
  ...secured('goals:write'),
  request: { query: noQuery, headers: idempotencyHeaders },
  requestBody: { required: true, content: { [ndjson]: { schema: refTo('BatchItem') } } },
  responses: answers(
    { 200: { description: 'A result a line', content: { [ndjson]: { schema: refTo('BatchResult') } } } },
    ['ASTRA_BODY_INVALID', 'ASTRA_BODY_TOO_LARGE', 'ASTRA_MEDIA_TYPE_UNSUPPORTED'],
  ),
});

const cancel = createRoute({
  method: 'post',
  path: '/v1/goals:cancel',
  operationId: 'cancelGoals',
  tags: ['goals'],
  summary: 'Cancel the goals that belong together',
  description:
    'All goals with the `cascadeId` that were accepted before the call and have not ended: those that have begun are told to stop, and those ' +
    'that have not end `cancelled` instead of beginning. Goals submitted later are not concerned. Repeating it does no harm.',
  ...secured('goals:write'),
  request: { query: noQuery },
  ...jsonBody('CascadeCancel'),
  responses: answers({ 202: jsonAnswer('They are told to stop', 'CancelledCascade') }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

/** Goals that are being told at once. */
const parallelCancels = 16;

export function mountGoalBatches(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { engine, cascades, hotViews, logger, shutdown } = deps;
  const accept = createAcceptGoal(deps);

  app.openapi(batch, async (c) => {
    const requestId = c.get('requestId');
    const lines = await readLines(c, limits.batchItems);
    const { tenant, subject } = c.get('principal');
    const call = {
      tenant,
      subject,
      lines,
      idempotencyKey: c.req.valid('header')[idempotencyHeader],
      requestId,
    };
    const onFailed = (error: unknown, { status }: Problem): void =>
      logger.error({ err: error, path: c.req.path, requestId, status }, 'a goal of a batch failed');
    return streamResponse((signal) => submitBatch({ accept, onFailed }, call, signal), {
      shutdown,
      contentType: ndjson,
    });
  });

  app.openapi(cancel, async (c) => {
    const { tenant } = c.get('principal');
    const { cascadeId, reason = null } = await readBody(c, cascadeCancelSchema);
    // In this order: see `CascadeStore`.
    await cascades.cancel(tenant, cascadeId, { at: new Date().toISOString(), reason });
    let cancelling = 0;
    const open = cascades.openGoals(tenant, cascadeId);
    const told = mapInOrder(open, parallelCancels, async (goalId) => {
      const isTold = await engine.cancel(goalId, { reason });
      hotViews.forget({ tenant, goalId });
      return isTold;
    });
    for await (const isTold of told) cancelling += isTold ? 1 : 0;
    return c.json({ cascadeId, cancelling }, 202);
  });
}
