import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { createAcceptGoal } from '../goals/accept-goal.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { readGoal } from '../goals/read-goal.ts';
import { readJson } from '../body.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { goalParams, idempotencyHeader, idempotencyHeaders, noQuery } from '../params.ts';
import { jsonText, viewResponse } from '../view-response.ts';
import { goalListQuery, toGoalFilter, viewQuery } from './goal-query.ts';

const minSeqWaitMs = 5_000;

const submit = createRoute({
  method: 'post',
  path: '/v1/goals',
  operationId: 'submitGoal',
  tags: ['goals'],
  summary: 'Submit a goal',
  description:
    'Give exactly one source of the plan: `plan`, `template`, or `objective` alone, which a model plans. The goal is durable before the answer. ' +
    'With an `Idempotency-Key`, the same key and body give the same goal, however often they are sent. `startAt`, `delaySeconds` and ' +
    '`dependsOnGoalIds` hold it back: it is `accepted`, and `waitingFor` says why, until its time has come and those goals have completed.',
  ...secured('goals:write'),
  request: { query: noQuery, headers: idempotencyHeaders },
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
  const { config, goalList, shutdown } = deps;
  const links = createGoalLinks(config);
  const acceptGoal = createAcceptGoal(deps);

  app.openapi(submit, async (c) => {
    const { tenant, subject } = c.get('principal');
    const { goalId, status, json } = await acceptGoal(tenant, await readJson(c), {
      idempotencyKey: c.req.valid('header')[idempotencyHeader],
      subject,
    });
    c.header('location', links.url(goalId));
    return jsonText(c, json, status);
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
    return viewResponse(c, view.seq, { json: () => links.addTo(view.json, goal.goalId) });
  });
}
