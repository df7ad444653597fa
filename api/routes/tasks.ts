import { hash } from 'node:crypto';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import canonicalize from 'canonicalize';
import { limits } from '../../domain/limits.ts';
import { goalIdSchema } from '../../domain/schemas/common.ts';
import { parkedSelectionSchema, parkReasonSchema } from '../../domain/schemas/parked-task.ts';
import { readBody } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { dryRunQuery, idempotencyHeader, idempotencyHeaders, pageQuery } from '../params.ts';
import { firstAsked } from '../tasks/first-asked.ts';
import { tellParked } from '../tasks/tell-parked.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/tasks',
  operationId: 'listParkedTasks',
  tags: ['tasks'],
  summary: 'List the parked tasks of all goals, newest first',
  description:
    'Those that a budget has no room for, and those whose attempts have failed and that the plan parks then.',
  ...secured('goals:read'),
  request: {
    query: z.strictObject({
      ...pageQuery,
      status: z.literal('parked', { error: 'must be "parked": other tasks are read with their goal' }).optional(),
      goalId: goalIdSchema.optional(),
      code: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .openapi({ param: { description: 'Of the error that it was parked with' } }),
      reason: parkReasonSchema.optional(),
    }),
  },
  responses: answers({ 200: jsonAnswer('A page of tasks', 'ParkedTaskList') }),
});

const command = (name: 'retry' | 'discard', about: { readonly summary: string; readonly description: string }) =>
  createRoute({
    method: 'post',
    path: `/v1/tasks:${name}`,
    operationId: `${name}ParkedTasks`,
    tags: ['tasks'],
    ...about,
    ...secured('goals:write'),
    request: { query: dryRunQuery, headers: idempotencyHeaders },
    ...jsonBody('ParkedSelection', { required: false }),
    responses: answers(
      {
        200: jsonAnswer('With `dryRun`: the tasks that would be taken', 'ToldTasks'),
        202: jsonAnswer('Their goals are told', 'ToldTasks'),
      },
      ['ASTRA_BODY_INVALID', 'ASTRA_BODY_TOO_LARGE', 'ASTRA_MEDIA_TYPE_UNSUPPORTED', 'ASTRA_IDEMPOTENCY_CONFLICT'],
    ),
  });

const selecting =
  `Of the tasks that are parked for a failure those that match all that is given, the oldest ${limits.parkedTasks} of them; without a body all. ` +
  '`more` says that there are others: repeat the call. What a goal was told of in the last minute is not taken again, and ' +
  'a repetition with the same `Idempotency-Key` takes nothing that was parked after the first.';

const retry = command('retry', {
  summary: 'Retry tasks that are parked for a failure',
  description: `They get a fresh set of attempts, with the same effect id. ${selecting}`,
});

const discard = command('discard', {
  summary: 'Discard tasks that are parked for a failure',
  description: `They fail with the error they were parked with, and their goals take the course of that. ${selecting}`,
});

export function mountTasks(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'parkedTasks' | 'engine' | 'redis'>): void {
  app.openapi(list, async (c) => {
    const { goalId, code, reason, ...page } = c.req.valid('query');
    return c.json(await deps.parkedTasks.list(c.get('principal').tenant, { goalId, code, reason }, page), 200);
  });

  for (const route of [retry, discard]) {
    app.openapi(route, async (c) => {
      const { tenant } = c.get('principal');
      const selection = (await c.req.text()) === '' ? {} : await readBody(c, parkedSelectionSchema);
      const dryRun = c.req.valid('query').dryRun === 'true';
      const key = c.req.valid('header')[idempotencyHeader];
      const body = hash('sha256', `${route.path} ${canonicalize(selection) ?? ''}`, 'hex');
      const before = key === undefined || dryRun ? undefined : await firstAsked(deps.redis, { tenant, key, body });
      const answer = await tellParked(deps, { tenant, selection, discard: route === discard, dryRun, before });
      return c.json(answer, dryRun ? 200 : 202);
    });
  }
}
