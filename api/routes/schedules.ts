import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { readJson } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { noQuery, pageQuery, scheduleParams } from '../params.ts';
import { checkSchedule } from '../schedules/check-schedule.ts';
import { isSameSchedule } from '../schedules/schedule-view.ts';

const bodyCodes = [
  'ASTRA_BODY_INVALID',
  'ASTRA_BODY_TOO_LARGE',
  'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  'ASTRA_PLAN_INVALID',
  'ASTRA_TEMPLATE_INVALID',
  'ASTRA_MODEL_NOT_CONFIGURED',
] as const;

const create = createRoute({
  method: 'post',
  path: '/v1/schedules',
  operationId: 'createSchedule',
  tags: ['schedules'],
  summary: 'Create a schedule',
  description:
    'Each of its times starts the `goal`. Give `cron` (in `timezone`, UTC unless given) or `everySeconds`. `overlap` says what becomes of a time ' +
    'that comes while a goal of the schedule runs: `skip` it (the default), `buffer` it until that goal has ended, `allow` both, or `cancel_other`.',
  ...secured('goals:write'),
  request: { query: noQuery },
  ...jsonBody('ScheduleDefinition'),
  responses: answers(
    { 201: jsonAnswer('Created', 'Schedule'), 200: jsonAnswer('The same schedule was there already', 'Schedule') },
    [...bodyCodes, 'ASTRA_SCHEDULE_EXISTS'],
  ),
});

const list = createRoute({
  method: 'get',
  path: '/v1/schedules',
  operationId: 'listSchedules',
  tags: ['schedules'],
  summary: 'List schedules with their next and latest runs, newest first',
  description: 'The list is a moment behind what has just been created or deleted.',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of schedules', 'ScheduleList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/schedules/{name}',
  operationId: 'getSchedule',
  tags: ['schedules'],
  summary: 'Read a schedule',
  ...secured('goals:read'),
  request: { params: scheduleParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The schedule', 'Schedule') }, ['ASTRA_NOT_FOUND']),
});

const replace = createRoute({
  method: 'put',
  path: '/v1/schedules/{name}',
  operationId: 'replaceSchedule',
  tags: ['schedules'],
  summary: 'Replace a schedule',
  description: 'Goals that run go on; a schedule that is paused stays so.',
  ...secured('goals:write'),
  request: { params: scheduleParams, query: noQuery },
  ...jsonBody('ScheduleDefinition'),
  responses: answers({ 200: jsonAnswer('Replaced', 'Schedule') }, [...bodyCodes, 'ASTRA_NOT_FOUND']),
});

const remove = createRoute({
  method: 'delete',
  path: '/v1/schedules/{name}',
  operationId: 'deleteSchedule',
  tags: ['schedules'],
  summary: 'Delete a schedule',
  description: 'Goals that it has started go on.',
  ...secured('goals:write'),
  request: { params: scheduleParams, query: noQuery },
  responses: answers({ 204: { description: 'Deleted' } }, ['ASTRA_NOT_FOUND']),
});

export function mountSchedules(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const { schedules, config } = deps;
  const submissions = { ...deps, model: config.ASTRA_MODEL };

  app.openapi(create, async (c) => {
    const { tenant } = c.get('principal');
    const definition = await checkSchedule(submissions, tenant, await readJson(c));
    const isNew = await schedules.create(tenant, definition);
    const schedule = await schedules.get({ tenant, name: definition.name });
    if (isNew) return c.json(schedule, 201);
    if (isSameSchedule(schedule, definition)) return c.json(schedule, 200);
    throw new AstraError(
      'ASTRA_SCHEDULE_EXISTS',
      `There is another schedule "${definition.name}". Choose another name, or replace it: PUT /v1/schedules/${definition.name}.`,
    );
  });

  app.openapi(list, async (c) => c.json(await schedules.list(c.get('principal').tenant, c.req.valid('query')), 200));

  app.openapi(get, async (c) => {
    const { tenant } = c.get('principal');
    return c.json(await schedules.get({ tenant, ...c.req.valid('param') }), 200);
  });

  app.openapi(replace, async (c) => {
    const { tenant } = c.get('principal');
    const { name } = c.req.valid('param');
    const definition = await checkSchedule(submissions, tenant, await readJson(c));
    if (definition.name !== name) {
      throw new AstraError('ASTRA_BODY_INVALID', `The path names the schedule "${name}" and the body another.`, {
        faults: [{ pointer: '/name', message: 'is not the name in the path' }],
      });
    }
    await schedules.replace(tenant, definition);
    return c.json(await schedules.get({ tenant, name }), 200);
  });

  app.openapi(remove, async (c) => {
    await schedules.delete({ tenant: c.get('principal').tenant, ...c.req.valid('param') });
    return c.body(null, 204);
  });
}
