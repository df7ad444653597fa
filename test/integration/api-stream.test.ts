import { once } from 'node:events';
import { createServer, get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { createMetrics } from '../../platform/metrics.ts';
import { keys } from '../../stores/cache/keys.ts';
import { createLiveLane, type LiveLane } from '../../stores/cache/live-lane.ts';
import { until } from '../support/until.ts';
import { createApp } from '../../api/app.ts';
import type { TestApp } from '../../api/test-support/test-app.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { begin, completed, draft, tool } from './record-support.ts';

let api: ApiBench;
let lane: LiveLane;
beforeAll(async () => {
  api = await createApiBench();
  lane = createLiveLane(api.worker.redis);
});
afterAll(async () => {
  await lane.shutdown();
  await api.stop();
});

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: Record<string, unknown>;
}
const parseFrames = (text: string): Frame[] =>
  text
    .split('\n\n')
    .map(
      (block) =>
        Object.fromEntries(block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2))) as Record<
          string,
          string
        >,
    )
    .filter((fields) => fields['id'] !== undefined)
    .map(({ id = '', event = '', data = '{}' }) => ({ id, event, data: JSON.parse(data) as Record<string, unknown> }));

/** Follows in the background; `text` grows. */
async function follow(app: TestApp, goal: GoalRef, lastEventId?: string) {
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  const response = await app.request(`/v1/goals/${goal.goalId}/events`, { headers });
  const stream = {
    response,
    text: '',
    ended: false,
    frames: () => parseFrames(stream.text),
    cancel: async () => reader.cancel(),
  };
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  void (async () => {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) stream.text += chunk.value;
    stream.ended = true;
  })();
  return stream;
}
const ids = (frames: readonly Frame[]) => frames.map(({ id }) => id);
const watchers = async (goal: GoalRef) => {
  const [, count] = (await api.worker.redis.pubsub('NUMSUB', keys.wake(goal))) as [string, number];
  return count;
};
const finish = (goal: GoalRef) => api.worker.recorder.record(goal, [draft('goal.completed', { output: 1 })]);

test('a stream gives what is recorded and what follows, with the output of running tasks between, and ends', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  const stream = await follow(api.app, goal);
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
  await until(() => stream.frames().length === 2, 'the recorded events arrive');
  await until(async () => (await watchers(goal)) === 1, 'the stream is woken');
  for (const text of ['one ', 'two ', 'three']) lane.publish(goal, { taskId: 'a', attempt: 1, stream: 'stdout', text });
  await until(() => stream.frames().length === 3, 'the output arrives');
  await api.worker.recorder.record(goal, [completed('a')]);
  await finish(goal);
  await until(() => stream.ended, 'the stream ends');

  const frames = stream.frames();
  expect(frames.map(({ event }) => event)).toEqual([
    'goal.submitted',
    'plan.proposed',
    'task.progress',
    'task.completed',
    'goal.completed',
  ]);
  expect(frames[2]).toMatchObject({
    id: expect.stringMatching(/^2-\d+-\d+$/) as unknown,
    data: { taskId: 'a', stream: 'stdout', text: 'one two three' },
  });
  expect(frames[3]).toMatchObject({ id: '3', data: { seq: 3, taskId: 'a', goalId: goal.goalId } });
  await until(async () => (await watchers(goal)) === 0, 'nobody is subscribed any more');
});

test('a reader that comes back gets each later event once; after the last one it is told to stay away', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a'), tool('b')]);
  lane.publish(goal, { taskId: 'a', attempt: 1, stream: 'log', text: 'seen' });
  await until(async () => (await lane.lastId(goal)) !== null, 'the output is written');
  const first = await follow(api.app, goal);
  await until(() => first.frames().length === 3, 'both lanes arrive');
  await first.cancel();
  const place = first.frames().at(-1)!.id;
  await api.worker.recorder.record(goal, [completed('a'), completed('b')]);
  lane.publish(goal, { taskId: 'b', attempt: 1, stream: 'log', text: 'new' });
  await finish(goal);
  await lane.shutdown();

  const second = await follow(api.app, goal, place);
  await until(() => second.ended, 'the stream ends');
  expect(ids(second.frames()).filter((id) => !id.includes('-'))).toEqual(['3', '4', '5']);
  expect(second.text).not.toContain('seen');
  const third = await api.app.request(`/v1/goals/${goal.goalId}/events?lastEventId=5`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(third.status).toBe(204);
  const bad = await api.app.request(`/v1/goals/${goal.goalId}/events?lastEventId=x`, {
    headers: { accept: 'text/event-stream' },
  });
  expect(bad.status).toBe(400);
});

test('without Redis the events come all the same, by looking', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  const blind = await api.startApp({ without: 'redis' });
  const stream = await follow(blind, goal);
  await until(() => stream.frames().length === 2, 'the recorded events arrive');
  await api.worker.recorder.record(goal, [completed('a')]);
  await finish(goal);
  await until(() => stream.ended, 'the stream ends');
  expect(ids(stream.frames())).toEqual(['1', '2', '3', '4']);
});

test('the subscription survives its connection: what came meanwhile is not missed', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  const stream = await follow(api.app, goal);
  await until(async () => (await watchers(goal)) === 1, 'the stream is woken');
  await api.worker.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await api.worker.recorder.record(goal, [completed('a')]);
  await until(() => stream.frames().length === 3, 'the event arrives');
  await until(async () => (await watchers(goal)) === 1, 'the stream is woken again');
  await finish(goal);
  await until(() => stream.ended, 'the stream ends');
});

test('a hundred streams share one connection', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  const streams = await Promise.all(Array.from({ length: 100 }, () => follow(api.app, goal)));
  await until(async () => (await watchers(goal)) === 1, 'they are woken by one subscription');
  await until(() => streams.every((stream) => stream.frames().length === 2), 'all have what is recorded');
  await finish(goal);
  await until(() => streams.every(({ ended }) => ended), 'all end');
  expect(new Set(streams.map((stream) => ids(stream.frames()).join()))).toEqual(new Set(['1,2,3']));
});

test('events are read in pages as JSON', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  await api.worker.recorder.record(goal, [completed('a')]);
  const path = `/v1/goals/${goal.goalId}/events`;
  expect((await api.get(`${path}?limit=2`)).body).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }], nextCursor: '2' });
  expect((await api.get(`${path}?limit=2&cursor=2`)).body).toMatchObject({
    items: [{ seq: 3, type: 'task.completed' }],
    nextCursor: null,
  });
  expect((await api.get(`${path}?afterSeq=3`)).body).toEqual({ items: [], nextCursor: null });
});

test('a client that hangs up, and a server that goes down, end the stream', async () => {
  const goal = api.bench.newGoal();
  await begin(api.worker.recorder, goal, [tool('a')]);
  const goingDown = new AbortController();
  // Another instance on the same parts, over a real socket.
  const { fetch } = createApp({ ...api.app.deps, metrics: createMetrics(), shutdown: goingDown.signal });
  const listener = getRequestListener(fetch);
  const server = createServer((request, response) => void listener(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const as = await api.app.tokens.sign({ tenant: api.bench.tenant });
  const connect = async () => {
    const headers = { authorization: `Bearer ${as}`, accept: 'text/event-stream' };
    const request = httpGet({ port, host: '127.0.0.1', path: `/v1/goals/${goal.goalId}/events`, headers });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    await once(response, 'data');
    return { request, response };
  };
  const first = await connect();
  await until(async () => (await watchers(goal)) === 1, 'the stream is woken');
  first.request.destroy();
  await until(async () => (await watchers(goal)) === 0, 'its subscription ends');

  const second = await connect();
  await until(async () => (await watchers(goal)) === 1, 'the stream is woken');
  second.response.resume();
  goingDown.abort();
  await once(second.response, 'end');
  await until(async () => (await watchers(goal)) === 0, 'its subscription ends');
  server.closeAllConnections();
  server.close();
});
