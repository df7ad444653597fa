import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { acceptedState } from '../../domain/goal-record.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { readGoal } from '../goals/read-goal.ts';
import { createSubmitGoal } from '../goals/submit-goal.ts';
import { readJson } from '../body.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { goalParams, noQuery } from '../params.ts';
import { jsonText, viewResponse } from '../view-response.ts';
import { goalListQuery, toGoalFilter, viewQuery } from './goal-query.ts';

const minSeqWaitMs = 5_000;
const idempotencyHeader = 'idempotency-key';

const submit = createRoute({
  method: 'post',
  path: '/v1/goals',
  operationId: 'submitGoal',
  tags: ['goals'],
  summary: 'Submit a goal',
  description:
    'Give exactly one source of the plan: `plan`, `template`, or `objective` alone, which a model plans. The goal is durable before the answer. ' +
    'With an `Idempotency-Key`, the same key and body give the same goal, however often they are sent.',
  ...secured('goals:write'),
  request: {
    query: noQuery,
    headers: z.object({ [idempotencyHeader]: z.string().min(1).max(255).optional() }),
  },
  ...jsonBody('GoalSubmission'),
  responses: answers(
    {
      202: {
        ...jsonAnswer('The goal is accepted', 'Goal'),
        headers: { Location: { description: 'URL of the goal', schema: { type: 'string' } } },
      },
      200: jsonAnswer('The goal that the same key and body started before', 'Goal'),
    },
    [
      'ASTRA_BODY_INVALID',
      'ASTRA_BODY_TOO_LARGE',
      'ASTRA_MEDIA_TYPE_UNSUPPORTED',
      'ASTRA_PLAN_INVALID',
      'ASTRA_TEMPLATE_INVALID',
      'ASTRA_MODEL_NOT_CONFIGURED',
      'ASTRA_IDEMPOTENCY_CONFLICT',
      'ASTRA_OVERLOADED',
    ],
  ),
});

const list = createRoute({
  method: 'get',
  path: '/v1/goals',
  operationId: 'listGoals',
  tags: ['goals'],
  summary: 'List goals, newest first',
  ...secured('goals:read'),
  request: { query: goalListQuery },
  responses: answers({ 200: jsonAnswer('A page of goals', 'GoalList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}',
  operationId: 'getGoal',
  tags: ['goals'],
  summary: 'Read a goal',
  ...secured('goals:read'),
  request: { params: goalParams, query: viewQuery },
  responses: answers(
    {
      200: jsonAnswer('The goal; `ETag` is its `seq`', 'Goal'),
      304: { description: 'Nothing happened since `If-None-Match`' },
    },
    ['ASTRA_NOT_FOUND'],
  ),
});

export function mountGoals(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { config, reader, goalList, shutdown } = deps;
  const links = createGoalLinks(config);
  const submitGoal = createSubmitGoal({ ...deps, model: config.ASTRA_MODEL });

  app.openapi(submit, async (c) => {
    const { tenant, subject } = c.get('principal');
    const { goalId, started } = await submitGoal(tenant, await readJson(c), {
      idempotencyKey: c.req.valid('header')[idempotencyHeader],
      subject,
    });
    c.header('location', links.url(goalId));
    if (!started) {
      const { json } = await readGoal(deps, { tenant, goalId });
      return jsonText(c, links.addTo(json, goalId), 200);
    }
    const head = goalHeadOf(started);
    // So that a read that follows finds it before its first event is recorded. Without Redis, Temporal answers that read.
    await reader.seed(head, acceptedState);
    return jsonText(c, links.addTo(JSON.stringify({ ...head, ...acceptedState }), goalId), 202);
  });

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const page = await goalList.list(c.get('principal').tenant, toGoalFilter(query), query);
    const items = page.items.map(({ goalId, json }) => links.addTo(json, goalId));
    return jsonText(c, `{"items":[${items.join(',')}],"nextCursor":${JSON.stringify(page.nextCursor)}}`, 200);
  });

  app.openapi(get, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const { minSeq = 0 } = c.req.valid('query');
    const view =
      minSeq === 0
        ? await readGoal(deps, goal)
        : await awaitGoal(deps, goal, {
            until: ({ seq }) => seq >= minSeq,
            waitMs: minSeqWaitMs,
            signal: AbortSignal.any([c.req.raw.signal, shutdown]),
          });
    return viewResponse(c, view.seq, () => links.addTo(view.json, goal.goalId));
  });
}
