import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { Json } from '../../domain/json.ts';
import type { GraphView } from '../../domain/schemas/goal.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { readGoal, stateOf } from '../goals/read-goal.ts';
import { answers, jsonAnswer, secured } from '../openapi/describe.ts';
import { goalParams, noQuery, pageQuery, taskParams } from '../params.ts';
import type { GoalResult } from '../schemas.ts';
import { viewResponse } from '../view-response.ts';
import { resultQuery } from './goal-query.ts';

const graph = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/graph',
  operationId: 'getGoalGraph',
  tags: ['goals'],
  summary: 'Read a goal’s tasks and their dependencies',
  ...secured('goals:read'),
  request: { params: goalParams, query: noQuery },
  responses: answers(
    {
      200: jsonAnswer('The graph; `ETag` is its `seq`, and weak: `eta` may change without an event', 'Graph'),
      304: { description: 'Nothing happened since `If-None-Match`' },
    },
    ['ASTRA_NOT_FOUND'],
  ),
});

const result = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/result',
  operationId: 'getGoalResult',
  tags: ['goals'],
  summary: 'Read, or wait for, a goal’s result',
  ...secured('goals:read'),
  request: { params: goalParams, query: resultQuery },
  responses: answers(
    {
      200: jsonAnswer('The goal has ended', 'GoalResult'),
      202: jsonAnswer('It has not ended; ask again', 'GoalResult'),
    },
    ['ASTRA_NOT_FOUND'],
  ),
});

const task = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/tasks/{taskId}',
  operationId: 'getTask',
  tags: ['goals'],
  summary: 'Read a task, or an item of a map',
  ...secured('goals:read'),
  request: { params: taskParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The task', 'Task') }, ['ASTRA_NOT_FOUND']),
});

const artifacts = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/artifacts',
  operationId: 'listGoalArtifacts',
  tags: ['goals', 'artifacts'],
  summary: 'List a goal’s artifacts, oldest first',
  ...secured('goals:read'),
  request: { params: goalParams, query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of artifacts', 'ArtifactList') }, ['ASTRA_NOT_FOUND']),
});

const emptyGraph = (goalId: GraphView['goalId']): GraphView => ({
  goalId,
  seq: 0,
  revision: 0,
  tasks: [],
  edges: [],
  criticalPath: [],
  eta: null,
});

export function mountGoalViews(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { reader, artifactList, shutdown } = deps;

  app.openapi(graph, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const view = await reader.graph(goal.tenant, goal.goalId);
    // A goal that has no plan yet has no tasks.
    if (!view) await readGoal(deps, goal);
    const shown = view ?? emptyGraph(goal.goalId);
    // What is expected changes without an event.
    return viewResponse(c, shown.seq, { json: () => JSON.stringify(shown), weak: true });
  });

  app.openapi(result, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const view = await awaitGoal(deps, goal, {
      until: (seen) => isFinalGoal(stateOf(seen).status),
      waitMs: c.req.valid('query').wait * 1000,
      signal: AbortSignal.any([c.req.raw.signal, shutdown]),
    });
    const { status, output, outputArtifact, error } = stateOf(view);
    if (!isFinalGoal(status)) return c.json({ goalId: goal.goalId, status, error: null }, 202);
    const value: { artifact: NonNullable<typeof outputArtifact> } | { output: Json } =
      outputArtifact === null ? { output } : { artifact: outputArtifact };
    const body: GoalResult = { goalId: goal.goalId, status, ...value, error };
    return c.json(body, 200);
  });

  app.openapi(task, async (c) => {
    const { goalId, taskId } = c.req.valid('param');
    const view = await reader.task(c.get('principal').tenant, goalId, taskId);
    if (!view) throw new AstraError('ASTRA_NOT_FOUND', `There is no task ${taskId} in a goal ${goalId}.`);
    return c.json(view, 200);
  });

  app.openapi(artifacts, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const page = await artifactList.ofGoal(goal.tenant, goal.goalId, c.req.valid('query'));
    if (page.items.length === 0) await readGoal(deps, goal);
    return c.json(page, 200);
  });
}
