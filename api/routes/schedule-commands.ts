import { randomUUID } from 'node:crypto';
import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { readBody, readJson } from '../body.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, jsonBody, secured } from '../openapi/describe.ts';
import { idempotencyHeader, idempotencyHeaders, noQuery, scheduleParams } from '../params.ts';
import { backfillRequestSchema, schedulePauseSchema } from '../schemas.ts';

const bodyCodes = ['ASTRA_BODY_INVALID', 'ASTRA_BODY_TOO_LARGE', 'ASTRA_MEDIA_TYPE_UNSUPPORTED'] as const;

const pause = createRoute({
  method: 'post',
  path: '/v1/schedules/{name}/pause',
  operationId: 'pauseSchedule',
  tags: ['schedules'],
  summary: 'Pause a schedule',
  description:
    'Its times start nothing until it is resumed, and those in between are not made up for. Goals that run go on.',
  ...secured('goals:write'),
  request: { params: scheduleParams, query: noQuery },
  ...jsonBody('PauseRequest', { required: false }),
  responses: answers({ 200: jsonAnswer('Paused', 'Schedule') }, [...bodyCodes, 'ASTRA_NOT_FOUND']),
});

const resume = createRoute({
  method: 'post',
  path: '/v1/schedules/{name}/resume',
  operationId: 'resumeSchedule',
  tags: ['schedules'],
  summary: 'Resume a schedule',
  ...secured('goals:write'),
  request: { params: scheduleParams, query: noQuery },
  ...jsonBody('PauseRequest', { required: false }),
  responses: answers({ 200: jsonAnswer('Resumed', 'Schedule') }, [...bodyCodes, 'ASTRA_NOT_FOUND']),
});

const trigger = createRoute({
  method: 'post',
  path: '/v1/schedules/{name}/trigger',
  operationId: 'triggerSchedule',
  tags: ['schedules'],
  summary: 'Start a goal of a schedule now',
  description:
    'Also while another one runs, and while the schedule is paused. With an `Idempotency-Key` once, however often it is sent. ' +
    'The goal is among `recentRuns` a moment later.',
  ...secured('goals:write'),
  request: { params: scheduleParams, query: noQuery, headers: idempotencyHeaders },
  responses: answers({ 202: jsonAnswer('It is told to', 'Schedule') }, ['ASTRA_NOT_FOUND']),
});

const backfill = createRoute({
  method: 'post',
  path: '/v1/schedules/{name}/backfill',
  operationId: 'backfillSchedule',
  tags: ['schedules'],
  summary: 'Run the times of a schedule in a range',
  description:
    `At most ${limits.backfillTimes}, now, one after another unless \`overlap\` is \`allow\`. A time that ran before runs again. With \`?dryRun=true\` ` +
    'the answer says which times would run, and nothing runs. With an `Idempotency-Key` once, however often it is sent.',
  ...secured('goals:write'),
  request: {
    params: scheduleParams,
    query: z.strictObject({ dryRun: z.enum(['true', 'false']).optional() }),
    headers: idempotencyHeaders,
  },
  ...jsonBody('BackfillRequest'),
  responses: answers(
    { 200: jsonAnswer('The times that would run', 'Backfill'), 202: jsonAnswer('They are told to', 'Backfill') },
    [...bodyCodes, 'ASTRA_NOT_FOUND'],
  ),
});

export function mountScheduleCommands(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'schedules'>): void {
  const { schedules } = deps;
  // Most callers have no reason to give, and send no body.
  const readReason = async (c: Parameters<typeof readJson>[0]): Promise<string | undefined> =>
    (await readJson(c)) === undefined ? undefined : (await readBody(c, schedulePauseSchema)).reason;

  app.openapi(pause, async (c) => {
    const ref = { tenant: c.get('principal').tenant, ...c.req.valid('param') };
    await schedules.pause(ref, (await readReason(c)) ?? 'paused');
    return c.json(await schedules.get(ref), 200);
  });

  app.openapi(resume, async (c) => {
    const ref = { tenant: c.get('principal').tenant, ...c.req.valid('param') };
    await schedules.resume(ref, (await readReason(c)) ?? 'resumed');
    return c.json(await schedules.get(ref), 200);
  });

  app.openapi(trigger, async (c) => {
    const ref = { tenant: c.get('principal').tenant, ...c.req.valid('param') };
    await schedules.trigger(ref, c.req.valid('header')[idempotencyHeader] ?? randomUUID());
    return c.json(await schedules.get(ref), 202);
  });

  app.openapi(backfill, async (c) => {
    const ref = { tenant: c.get('principal').tenant, ...c.req.valid('param') };
    const range = await readBody(c, backfillRequestSchema);
    const times = await schedules.times(ref, range);
    if (times.length > limits.backfillTimes) {
      const message = `leads to more than ${limits.backfillTimes} times`;
      throw new AstraError('ASTRA_BODY_INVALID', `The range ${message}. Choose a shorter one.`, {
        faults: [{ pointer: '/to', message }],
      });
    }
    if (c.req.valid('query').dryRun === 'true') return c.json({ times }, 200);
    await schedules.backfill(ref, range, { requestId: c.req.valid('header')[idempotencyHeader] ?? randomUUID() });
    return c.json({ times }, 202);
  });
}
