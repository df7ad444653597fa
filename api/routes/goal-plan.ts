import { createHash, randomUUID } from 'node:crypto';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { changeMark } from '../../domain/goal-news.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import { goalRetrySchema, planAmendmentSchema, type GoalRetry } from '../../domain/schemas/plan-change.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { proposeChange } from '../goals/propose-change.ts';
import { previewChange, previewRetry } from '../goals/plan-preview.ts';
import { stateOf } from '../goals/read-goal.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { dryRunQuery, goalParams, idempotencyHeader, idempotencyHeaders } from '../params.ts';
import { jsonText } from '../view-response.ts';

/** How long an answer waits for the goal to show what was asked of it. */
const effectWaitMs = 2_000;

const bodyCodes = ['ASTRA_BODY_INVALID', 'ASTRA_BODY_TOO_LARGE', 'ASTRA_MEDIA_TYPE_UNSUPPORTED'] as const;

const read = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/plan',
  operationId: 'getPlan',
  tags: ['goals'],
  summary: 'Read a revision of the plan',
  ...secured('goals:read'),
  request: {
    params: goalParams,
    query: z.strictObject({ revision: z.coerce.number().int().min(1).optional() }),
  },
  responses: answers(
    { 200: jsonAnswer('The plan, in its latest revision unless another is asked for', 'PlanRevision') },
    ['ASTRA_NOT_FOUND'],
  ),
});

const amend = createRoute({
  method: 'patch',
  path: '/v1/goals/{goalId}/plan',
  operationId: 'amendPlan',
  tags: ['goals'],
  summary: 'Change the plan of a running goal',
  description:
    'Adds, removes and replaces tasks, or gives a whole plan. Finished tasks stay; a running task that is removed or replaced is cancelled. With `approval` people are asked first, and the goal goes on by its plan meanwhile.',
  ...secured('goals:write'),
  request: { params: goalParams, query: dryRunQuery, headers: idempotencyHeaders },
  ...jsonBody('PlanChange'),
  responses: answers(
    {
      202: jsonAnswer('The goal runs by the new revision; with `approval`: people are asked', 'AmendedGoal'),
      200: jsonAnswer('With `dryRun`: what the change would do', 'PlanChangePreview'),
    },
    ['ASTRA_NOT_FOUND', 'ASTRA_GOAL_FINISHED', 'ASTRA_PLAN_CONFLICT', 'ASTRA_PLAN_INVALID', ...bodyCodes],
  ),
});

const retry = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/retry',
  operationId: 'retryGoal',
  tags: ['goals'],
  summary: 'Run tasks of an ended goal again',
  description:
    'The chosen tasks, what depends on them and what has not ended well run again; all others keep their outputs.',
  ...secured('goals:write'),
  request: { params: goalParams, query: dryRunQuery, headers: idempotencyHeaders },
  ...jsonBody('GoalRetry'),
  responses: answers(
    {
      202: jsonAnswer('The goal runs again', 'Goal'),
      200: jsonAnswer('With `dryRun`: what would run, and what is reused', 'RerunPreview'),
    },
    ['ASTRA_NOT_FOUND', 'ASTRA_GOAL_RUNNING', 'ASTRA_PLAN_INVALID', ...bodyCodes],
  ),
});

/** The same for the same key: a repeated request is known by it. */
const changeIdOf = ({ goalId }: GoalRef, what: string, key: string | undefined): string =>
  key === undefined ? randomUUID() : createHash('sha256').update(`${goalId}/${what}/${key}`).digest('hex').slice(0, 32);

/** Requests that are made once, however often they are sent. */
function createRequests(deps: Pick<ApiDeps, 'engine' | 'reader' | 'catalogue' | 'durations'>) {
  const { engine, reader } = deps;

  const isMade = async ({ tenant, goalId }: GoalRef, changeId: string): Promise<boolean> =>
    (await reader.standing(tenant, goalId))?.marks.has(changeMark(changeId)) ?? false;

  async function startAgain(
    goal: GoalRef,
    { request, ...about }: { readonly request: GoalRetry; readonly by: string; readonly changeId: string },
  ): Promise<number> {
    await previewRetry(deps, goal, request);
    const standing = await reader.standing(goal.tenant, goal.goalId);
    if (!standing) throw new AstraError('ASTRA_NOT_FOUND', `There is no goal ${goal.goalId}.`);
    const { head, state } = standing;
    const run = state.run + 1;
    const retryMessage = { request: { ...request, run }, ...about };
    if (await engine.retry({ head, depth: await depthOf(head), retry: retryMessage })) return run;
    throw new AstraError('ASTRA_GOAL_RUNNING', 'The goal runs already. Wait until it has ended, or cancel it first.');
  }

  async function depthOf({ tenant, parentGoalId }: GoalHead): Promise<number> {
    if (parentGoalId === null) return 0;
    const parent = await reader.standing(tenant, parentGoalId);
    return 1 + (parent ? await depthOf(parent.head) : 0);
  }

  return { isMade, startAgain };
}

export function mountGoalPlan(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { config, engine, reader, shutdown } = deps;
  const links = createGoalLinks(config);
  const { isMade, startAgain } = createRequests(deps);

  app.openapi(read, async (c) => {
    const { tenant } = c.get('principal');
    const { goalId } = c.req.valid('param');
    const { revision: asked } = c.req.valid('query');
    const found = await reader.plan(tenant, goalId, asked);
    if (!found) {
      const which = asked === undefined ? 'no plan yet' : `no revision ${asked} of its plan`;
      throw new AstraError('ASTRA_NOT_FOUND', `There is no goal ${goalId}, or it has ${which}.`);
    }
    const { revision, source } = found.outline;
    return c.json({ goalId, revision, source, plan: found.plan }, 200);
  });

  app.openapi(amend, async (c) => {
    const { tenant, subject } = c.get('principal');
    const goal = { tenant, goalId: c.req.valid('param').goalId };
    const { approval, ...change } = await readBody(c, planAmendmentSchema);
    const key = c.req.valid('header')[idempotencyHeader];
    const changeId = changeIdOf(goal, 'plan', key);
    if (c.req.valid('query').dryRun === 'true') return c.json(await previewChange(deps, goal, change), 200);
    if (approval) {
      const asked = await proposeChange(deps, goal, { change, changeId, by: subject, terms: approval });
      return c.json(asked, 202);
    }
    if (!(await isMade(goal, changeId))) {
      await previewChange(deps, goal, change);
      await engine.amendPlan(goal.goalId, { change, by: subject, changeId });
    }
    const view = await awaitGoal(deps, goal, {
      until: (seen) => (stateOf(seen).plan?.revision ?? 0) > change.baseRevision,
      waitMs: effectWaitMs,
      signal: shutdown,
    });
    return jsonText(c, links.addTo(view.json, goal.goalId), 202);
  });

  app.openapi(retry, async (c) => {
    const { tenant, subject } = c.get('principal');
    const goal = { tenant, goalId: c.req.valid('param').goalId };
    const request = await readBody(c, goalRetrySchema);
    if (c.req.valid('query').dryRun === 'true') return c.json(await previewRetry(deps, goal, request), 200);
    const changeId = changeIdOf(goal, 'retry', c.req.valid('header')[idempotencyHeader]);
    const run = (await isMade(goal, changeId)) ? null : await startAgain(goal, { request, by: subject, changeId });
    const view = await awaitGoal(deps, goal, {
      until: (seen) => run === null || stateOf(seen).run >= run,
      waitMs: effectWaitMs,
      signal: shutdown,
    });
    return jsonText(c, links.addTo(view.json, goal.goalId), 202);
  });
}
