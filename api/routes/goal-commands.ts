import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalStatus } from '../../domain/schemas/goal.ts';
import { readBody, readJson } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { goalFinished, readOpenGoal } from '../goals/open-goal.ts';
import { stateOf } from '../goals/read-goal.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { goalParams, noQuery } from '../params.ts';
import { cancelRequestSchema, eventDeliverySchema } from '../schemas.ts';
import { jsonText } from '../view-response.ts';

/** How long an answer waits for the goal to show what was asked of it. */
const effectWaitMs = 1_000;

const cancel = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/cancel',
  operationId: 'cancelGoal',
  tags: ['goals'],
  summary: 'Cancel a goal',
  description:
    'Running tasks are stopped at once; the goal ends `cancelled` with every task in a final state and a `cancelReceipt`. ' +
    'With `compensate` what has completed is taken back first, where its tools can. A second cancel changes nothing, but that ' +
    '`compensate` is honoured until it is decided.',
  ...secured('goals:write'),
  request: { params: goalParams, query: noQuery },
  ...jsonBody('CancelRequest', { required: false }),
  responses: answers({ 202: jsonAnswer('The goal is told to stop', 'Goal') }, [
    'ASTRA_NOT_FOUND',
    'ASTRA_GOAL_FINISHED',
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

const deliver = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/events',
  operationId: 'deliverEvent',
  tags: ['goals'],
  summary: 'Deliver an outside event to a waiting task',
  description: 'An event that no task waits for yet is kept until one does.',
  ...secured('goals:write'),
  request: { params: goalParams, query: noQuery },
  ...jsonBody('EventDelivery'),
  responses: answers({ 202: jsonAnswer('The event is delivered', 'Goal') }, [
    'ASTRA_NOT_FOUND',
    'ASTRA_GOAL_FINISHED',
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

const isStopping = (status: GoalStatus): boolean => status === 'cancelling' || isFinalGoal(status);

export function mountGoalCommands(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { config, engine, hotViews, shutdown, tellWorkers } = deps;
  const links = createGoalLinks(config);

  app.openapi(cancel, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    // Most callers have no reason to give, and send no body.
    const { reason = null, compensate = false } =
      (await readJson(c)) === undefined ? {} : await readBody(c, cancelRequestSchema);
    await readOpenGoal(deps, goal);
    if (!(await engine.cancel(goal.goalId, { reason, ...(compensate && { compensate }) }))) throw goalFinished(goal);
    // Only now: what a worker stops must be durably cancelled.
    void tellWorkers(goal, { reason, compensate });
    const view = await awaitGoal(deps, goal, {
      until: (seen) => isStopping(stateOf(seen).status),
      waitMs: effectWaitMs,
      signal: shutdown,
    });
    return jsonText(c, links.addTo(view.json, goal.goalId), 202);
  });

  app.openapi(deliver, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const { name, data = {} } = await readBody(c, eventDeliverySchema);
    const view = await readOpenGoal(deps, goal);
    if (!(await engine.deliverEvent(goal.goalId, { name, data }))) throw goalFinished(goal);
    hotViews.forget(goal);
    return jsonText(c, links.addTo(view.json, goal.goalId), 202);
  });
}
