import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { readGoal, stateOf } from '../goals/read-goal.ts';
import { refTo } from '../openapi/components.ts';
import { answers, secured } from '../openapi/describe.ts';
import { goalParams } from '../params.ts';
import { goalFrames, type GoalFramesDeps } from '../stream/goal-frames.ts';
import { createPageReader } from '../stream/read-lanes.ts';
import { parseLastEventId } from '../stream/sse-frame.ts';
import { streamResponse } from '../stream/stream-response.ts';
import { eventsQuery } from './goal-query.ts';

const events = createRoute({
  method: 'get',
  path: '/v1/goals/{goalId}/events',
  operationId: 'getGoalEvents',
  tags: ['goals'],
  summary: 'Read or follow a goal’s events',
  description:
    'As JSON a page of the events after `afterSeq` (or `cursor`). With `Accept: text/event-stream` a stream of both lanes until the goal ' +
    'has ended: a durable event is `id: <seq>`, `event: <type>`, `data: <Event>`; progress of running tasks, which may be lost, is ' +
    '`id: <seq>-<liveId>`, `event: task.progress`, `data: <TaskProgress>`. Send the last id as `Last-Event-ID` to go on: no event is lost or repeated.',
  ...secured('goals:read'),
  request: { params: goalParams, query: eventsQuery },
  responses: answers(
    {
      200: {
        description: 'A page of events, or the stream',
        content: {
          'application/json': { schema: refTo('EventList') },
          'text/event-stream': { schema: { type: 'string' } },
        },
      },
      204: { description: 'Stream: the goal has ended, and there is nothing after `Last-Event-ID`' },
    },
    ['ASTRA_NOT_FOUND'],
  ),
});

export function mountGoalEvents(app: OpenAPIHono<ApiEnv>, deps: ApiDeps): void {
  const streams = { ...deps, readPage: createPageReader(deps) };
  app.openapi(events, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const { afterSeq, cursor, limit, lastEventId } = c.req.valid('query');
    const after = afterSeq?.toString() ?? cursor;
    if (c.req.header('accept')?.includes('text/event-stream')) {
      return streamEvents(streams, goal, c.req.header('last-event-id') ?? lastEventId ?? after ?? '');
    }
    const items = await deps.reader.events(goal.tenant, goal.goalId, { afterSeq: Number(after ?? 0), limit });
    if (items.length === 0) await readGoal(deps, goal);
    const last = items.length === limit ? items.at(-1) : undefined;
    return c.json({ items, nextCursor: last ? String(last.seq) : null }, 200);
  });
}

async function streamEvents(deps: ApiDeps & GoalFramesDeps, goal: GoalRef, lastEventId: string): Promise<Response> {
  const after = lastEventId === '' ? null : parseLastEventId(lastEventId);
  const view = await readGoal(deps, goal);
  // 204 tells an EventSource not to come back.
  const lastSeq = isFinalGoal(stateOf(view).status) ? view.seq : Infinity;
  if (after !== null && after.seq >= lastSeq) return new Response(null, { status: 204 });
  return streamResponse((signal) => goalFrames(deps, goal, { after, signal, lastSeq }), {
    shutdown: deps.shutdown,
    contentType: 'text/event-stream',
  });
}
