import { randomBytes } from 'node:crypto';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { subjectForgettingSchema, tenantDeletionSchema } from '../../domain/schemas/retention.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { readGoal } from '../goals/read-goal.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { deletionParams, goalParams, noQuery } from '../params.ts';
import { requestDeletion } from '../retention/request-deletion.ts';

/** Long enough for a goal by itself; a larger one, or one on a busy system, is asked for again. */
const goalWaitMs = 10_000;
const idempotencyHeader = 'idempotency-key';
const keyHeaders = z.object({ [idempotencyHeader]: z.string().min(1).max(255).optional() });
const bodyCodes = ['ASTRA_BODY_INVALID', 'ASTRA_BODY_TOO_LARGE', 'ASTRA_MEDIA_TYPE_UNSUPPORTED'] as const;

const removeGoal = createRoute({
  method: 'delete',
  path: '/v1/goals/{goalId}',
  operationId: 'deleteGoal',
  tags: ['goals', 'retention'],
  summary: 'Delete a goal that has ended',
  description:
    'With its sub-goals, from the record and from the archive. An artifact’s bytes stay while another goal of the tenant has them.',
  ...secured('admin'),
  request: { params: goalParams, query: noQuery },
  responses: answers(
    {
      200: jsonAnswer('It is gone', 'Deletion'),
      202: jsonAnswer('It is being deleted; ask for the deletion', 'Deletion'),
    },
    ['ASTRA_NOT_FOUND', 'ASTRA_GOAL_RUNNING'],
  ),
});

const removeTenant = createRoute({
  method: 'post',
  path: '/v1/tenant:delete',
  operationId: 'deleteTenant',
  tags: ['retention'],
  summary: 'Delete everything of the tenant',
  description:
    'Goals that run are cancelled and, after ten seconds, terminated. `confirm` is the tenant’s name. There is no way back.',
  ...secured('admin'),
  request: { query: noQuery, headers: keyHeaders },
  ...jsonBody('TenantDeletion'),
  responses: answers({ 202: jsonAnswer('It is being deleted; ask for the deletion', 'Deletion') }, bodyCodes),
});

const forget = createRoute({
  method: 'post',
  path: '/v1/subjects:forget',
  operationId: 'forgetSubject',
  tags: ['retention'],
  summary: 'Forget a subject',
  description:
    'Goals that tokens of the subject submitted are deleted, running ones too. Votes that it gave on goals of others stay, under a pseudonym.',
  ...secured('admin'),
  request: { query: noQuery, headers: keyHeaders },
  ...jsonBody('SubjectForgetting'),
  responses: answers({ 202: jsonAnswer('It is being forgotten; ask for the deletion', 'Deletion') }, bodyCodes),
});

const get = createRoute({
  method: 'get',
  path: '/v1/deletions/{deletionId}',
  operationId: 'getDeletion',
  tags: ['retention'],
  summary: 'Read how far a deletion is',
  ...secured('admin'),
  request: { params: deletionParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The deletion', 'Deletion') }, ['ASTRA_NOT_FOUND']),
});

export function mountDeletions(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { goalTree, archivedGoals, deletions, shutdown } = deps;

  /** @throws ASTRA_NOT_FOUND, ASTRA_GOAL_RUNNING */
  async function requireEnded(goal: GoalRef): Promise<void> {
    const recorded = await goalTree.findRunning(goal);
    if (recorded?.running) throw stillRuns(goal, recorded.running);
    if (recorded ?? (await archivedGoals.get(goal.tenant, goal.goalId))) return;
    // One that no worker has begun yet.
    await readGoal(deps, goal);
    throw stillRuns(goal, goal.goalId);
  }

  app.openapi(removeGoal, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    await requireEnded(goal);
    const signal = AbortSignal.any([c.req.raw.signal, shutdown]);
    const deletion = await requestDeletion(deps, { kind: 'goal', ...goal }, { waitMs: goalWaitMs, signal });
    return c.json(deletion, deletion.status === 'completed' ? 200 : 202);
  });

  app.openapi(removeTenant, async (c) => {
    const { tenant } = c.get('principal');
    const { confirm } = await readBody(c, tenantDeletionSchema);
    if (confirm !== tenant) {
      throw new AstraError('ASTRA_BODY_INVALID', 'To delete the tenant, send its name as `confirm`.', {
        faults: [{ pointer: '/confirm', message: 'is not the name of the token’s tenant' }],
      });
    }
    const key = c.req.valid('header')[idempotencyHeader];
    return c.json(await requestDeletion(deps, { kind: 'tenant', tenant }, { key }), 202);
  });

  app.openapi(forget, async (c) => {
    const { tenant } = c.get('principal');
    const { subject } = await readBody(c, subjectForgettingSchema);
    const pseudonym = `forgotten-${randomBytes(6).toString('hex')}`;
    const begin = { stage: 'goals', after: '', waiting: 0 } as const;
    const key = c.req.valid('header')[idempotencyHeader];
    return c.json(await requestDeletion(deps, { kind: 'subject', tenant, subject, pseudonym, ...begin }, { key }), 202);
  });

  app.openapi(get, async (c) => {
    const { deletionId } = c.req.valid('param');
    const deletion = await deletions.get(c.get('principal').tenant, deletionId);
    if (!deletion) throw new AstraError('ASTRA_NOT_FOUND', `There is no deletion ${deletionId}.`);
    return c.json(deletion, 200);
  });
}

function stillRuns({ goalId }: GoalRef, running: string): AstraError {
  const which = running === goalId ? 'It' : `Of the goals above and below it, ${running}`;
  return new AstraError(
    'ASTRA_GOAL_RUNNING',
    `The goal ${goalId} cannot be deleted: ${which} has not ended. Cancel it, or wait for its end.`,
  );
}
