import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { acceptedState } from '../../domain/goal-record.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';
import { goalForkSchema } from '../../domain/schemas/plan-change.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { createGoalId } from '../goals/goal-id.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { previewFork } from '../goals/plan-preview.ts';
import { readGoal } from '../goals/read-goal.ts';
import type { NewGoal } from '../goals/read-workflow-input.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { dryRunQuery, goalParams, idempotencyHeader, idempotencyHeaders } from '../params.ts';
import { jsonText } from '../view-response.ts';

const fork = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/fork',
  operationId: 'forkGoal',
  tags: ['goals'],
  summary: 'Begin another goal with what this one has finished',
  description:
    'The chosen tasks (those that have not ended well, unless given), what depends on them and what the new plan changes run in the new goal; it begins with the outputs of all others.',
  ...secured('goals:write'),
  request: { params: goalParams, query: dryRunQuery, headers: idempotencyHeaders },
  ...jsonBody('GoalFork', { required: false }),
  responses: answers(
    {
      202: {
        ...jsonAnswer('The new goal is accepted', 'Goal'),
        headers: { Location: { description: 'URL of the new goal', schema: { type: 'string' } } },
      },
      200: jsonAnswer('With `dryRun`: what would run, and what is reused', 'RerunPreview'),
    },
    [
      'ASTRA_NOT_FOUND',
      'ASTRA_PLAN_INVALID',
      'ASTRA_OVERLOADED',
      'ASTRA_BODY_INVALID',
      'ASTRA_BODY_TOO_LARGE',
      'ASTRA_MEDIA_TYPE_UNSUPPORTED',
    ],
  ),
});

export function mountGoalFork(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { config, engine, admission, reader } = deps;
  const links = createGoalLinks(config);

  app.openapi(fork, async (c) => {
    const { tenant, subject } = c.get('principal');
    const from = { tenant, goalId: c.req.valid('param').goalId };
    const request = (await c.req.text()) === '' ? {} : await readBody(c, goalForkSchema);
    const { source, ...preview } = await previewFork(deps, from, request);
    if (c.req.valid('query').dryRun === 'true') return c.json(preview, 200);

    const key = c.req.valid('header')[idempotencyHeader];
    const goalId = createGoalId(tenant, key === undefined ? undefined : `fork/${from.goalId}/${key}`);
    const { objective, input, labels, priority, agentId, onTaskFailure, planner, maxReplans } = source.head;
    const replanning = { onTaskFailure, planner, maxReplans };
    const forkedFrom = { goalId: from.goalId, seq: source.state.seq };
    const started: NewGoal = {
      tenant,
      goalId,
      submission: { objective, input, labels, priority, ...replanning, ...(agentId !== null && { agentId }) },
      submittedAt: new Date().toISOString(),
      parentGoalId: null,
      bodyHash: null,
      submittedBy: subject,
      depth: 0,
      fork: { ...request, from: forkedFrom },
    };
    c.header('location', links.url(goalId));
    if (!(await admission.admit({ tenant, goalId }, () => engine.start(started)))) {
      return jsonText(c, links.addTo((await readGoal(deps, { tenant, goalId })).json, goalId), 202);
    }
    const head = goalHeadOf({ ...started, forkedFrom });
    await reader.seed(head, acceptedState);
    return jsonText(c, links.addTo(JSON.stringify({ ...head, ...acceptedState }), goalId), 202);
  });
}
