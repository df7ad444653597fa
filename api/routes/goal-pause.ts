import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalState } from '../../domain/schemas/goal.ts';
import type { GoalPause } from '../../domain/schemas/pause.ts';
import { readBody, readJson } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { awaitGoal } from '../goals/await-goal.ts';
import { createGoalLinks } from '../goals/goal-links.ts';
import { goalFinished, readOpenGoal } from '../goals/open-goal.ts';
import { stateOf } from '../goals/read-goal.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { goalParams, noQuery } from '../params.ts';
import { pauseRequestSchema, resumeRequestSchema } from '../schemas.ts';
import { jsonText } from '../view-response.ts';

/** How long an answer waits for the goal to show what was asked of it: a segment under way takes half a second. */
const effectWaitMs = 1_500;

const codes = [
  'ASTRA_NOT_FOUND',
  'ASTRA_GOAL_FINISHED',
  'ASTRA_BODY_INVALID',
  'ASTRA_BODY_TOO_LARGE',
  'ASTRA_MEDIA_TYPE_UNSUPPORTED',
] as const;

const pause = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/pause',
  operationId: 'pauseGoal',
  tags: ['goals'],
  summary: 'Pause a goal and its sub-goals',
  description:
    'Nothing new starts until the resume. Running tool calls finish, or with `hold` are stopped and begin again then. With `shiftDeadlines` waits and approvals get as much more time as the pause takes. A goal that is paused stays so.',
  ...secured('goals:write'),
  request: { params: goalParams, query: noQuery },
  ...jsonBody('PauseRequest', { required: false }),
  responses: answers({ 202: jsonAnswer('The goal is told to pause', 'Goal') }, [...codes]),
});

const resume = createRoute({
  method: 'post',
  path: '/v1/goals/{goalId}/resume',
  operationId: 'resumeGoal',
  tags: ['goals'],
  summary: 'Resume a paused goal and its sub-goals',
  description:
    'A sub-goal that was paused with the goal above it is resumed with that one, and stays paused until then. A goal that is not paused goes on.',
  ...secured('goals:write'),
  request: { params: goalParams, query: noQuery },
  ...jsonBody('ResumeRequest', { required: false }),
  responses: answers({ 202: jsonAnswer('The goal is told to go on', 'Goal') }, [...codes]),
});

/** Is the pause at least what was asked for? */
const hasAsked = (
  pause: GoalPause,
  { running, shiftDeadlines }: Pick<GoalPause, 'running' | 'shiftDeadlines'>,
): boolean => (pause.running === 'hold' || running === 'finish') && (pause.shiftDeadlines || !shiftDeadlines);

const isStopping = ({ status }: GoalState): boolean => status === 'cancelling' || isFinalGoal(status);

export function mountGoalPause(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { config, engine, shutdown } = deps;
  const links = createGoalLinks(config);

  /** The goal's view, once it shows what was asked. */
  async function viewOnce(goal: GoalRef, isWanted: (state: GoalState) => boolean): Promise<string> {
    const until = (seen: { readonly json: string }): boolean => {
      const state = stateOf(seen);
      return isStopping(state) || isWanted(state);
    };
    const view = await awaitGoal(deps, goal, { until, waitMs: effectWaitMs, signal: shutdown });
    return links.addTo(view.json, goal.goalId);
  }

  app.openapi(pause, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const body = (await readJson(c)) === undefined ? {} : await readBody(c, pauseRequestSchema);
    const { running = 'finish', shiftDeadlines = false, reason = null } = body;
    await readOpenGoal(deps, goal);
    const asked = { by: 'request', running, shiftDeadlines, reason } as const;
    if (!(await engine.pause(goal.goalId, asked))) throw goalFinished(goal);
    const json = await viewOnce(goal, ({ pause: shown }) => shown !== undefined && hasAsked(shown, asked));
    return jsonText(c, json, 202);
  });

  app.openapi(resume, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    if ((await readJson(c)) !== undefined) await readBody(c, resumeRequestSchema);
    await readOpenGoal(deps, goal);
    if (!(await engine.resume(goal.goalId))) throw goalFinished(goal);
    return jsonText(c, await viewOnce(goal, ({ status }) => status !== 'paused'), 202);
  });
}
