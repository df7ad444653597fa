import { describe, expect, test } from 'vitest';
import { createAstra } from '../index.ts';
import { frame, goalId, goalView, graphView, progressFrame, taskView } from '../test-support/goal-samples.ts';
import { drop, eventStream, inOrder, json, problem, startScriptedServer } from '../test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, backOff: { baseMs: 1, capMs: 5 } });

describe('reading goals', () => {
  test('passes minSeq on, and answers null when the goal is still at ifSeqNot', async () => {
    const server = await startScriptedServer(inOrder(json(goalView()), (response) => response.writeHead(304).end()));
    const { goals } = client(server.url);
    expect(await goals.get(goalId, { minSeq: 3 })).toMatchObject({ seq: 3 });
    expect(await goals.get(goalId, { ifSeqNot: 3 })).toBeNull();
    expect(server.requests[0]?.query.get('minSeq')).toBe('3');
    expect(server.requests[1]?.headers['if-none-match']).toBe('"3"');
  });

  test('walks all pages of a list with its filters, no page before it is needed', async () => {
    const server = await startScriptedServer(({ query }) =>
      json(
        query.has('cursor')
          ? { items: [goalView({ seq: 2 })], nextCursor: null }
          : { items: [goalView({ seq: 1 })], nextCursor: 'n' },
      ),
    );
    const all = client(server.url).goals.all({ status: ['running', 'paused'], labels: { team: 'a', stage: 'b' } });
    expect((await all.next()).value).toMatchObject({ seq: 1 });
    expect(server.requests).toHaveLength(1);
    expect((await all.next()).value).toMatchObject({ seq: 2 });
    expect((await all.next()).done).toBe(true);
    expect(server.requests.map(({ query }) => query.toString())).toEqual([
      'status=running%2Cpaused&label=team%3Aa&label=stage%3Ab',
      'status=running%2Cpaused&label=team%3Aa&label=stage%3Ab&cursor=n',
    ]);
  });
});

describe('the result', () => {
  test('is polled until the goal has ended, over dropped connections', async () => {
    const server = await startScriptedServer(
      inOrder(json({ status: 'running' }, 202), drop, json({ status: 'completed', output: 42 })),
    );
    expect(await client(server.url).goals.result(goalId)).toEqual({ status: 'completed', output: 42 });
    expect(server.requests[0]?.query.get('wait')).toBe('30s');
  });

  test('of a failed goal is a value', async () => {
    const error = { code: 'ASTRA_TASK_FAILED', message: 'x', retryable: false };
    const server = await startScriptedServer(() => json({ status: 'failed', error }));
    expect(await client(server.url).goals.result(goalId)).toEqual({ status: 'failed', error });
  });

  test('that does not come in time is ASTRA_TIMEOUT', async () => {
    const server = await startScriptedServer(() => json({ status: 'running' }, 202));
    await expect(client(server.url).goals.result(goalId, { timeoutMs: 600 })).rejects.toMatchObject({
      code: 'ASTRA_TIMEOUT',
    });
    expect(server.requests[0]?.query.get('wait')).toBe('1s');
  });
});

describe('watching', () => {
  const running = { goal: goalView({ seq: 2 }), graph: graphView([taskView({ status: 'running' })]) };
  const done = {
    goal: goalView({ seq: 4, status: 'completed' }),
    graph: graphView([taskView({ status: 'completed' })], { seq: 4 }),
  };

  test('gives a snapshot, the live lane and the snapshot of the end', async () => {
    let ended = false;
    const server = await startScriptedServer(({ path }) => {
      if (path.endsWith('/events')) {
        ended = true;
        return eventStream([progressFrame(2, '1-0', 'hello'), frame(3), frame(4, 'goal.completed')], 'close');
      }
      const { goal, graph } = ended ? done : running;
      return json(path.endsWith('/graph') ? graph : goal);
    });
    const updates = [];
    for await (const update of client(server.url).goals.watch(goalId)) updates.push(update);
    expect(updates[0]).toMatchObject({ type: 'snapshot', goal: { status: 'running' }, graph: running.graph });
    expect(updates[1]).toMatchObject({ type: 'task.progress', text: 'hello' });
    expect(updates.at(-1)).toMatchObject({ type: 'snapshot', goal: { status: 'completed' }, graph: done.graph });
    expect(server.requests.find(({ path }) => path.endsWith('/events'))?.headers['last-event-id']).toBe('2');
  });

  test('of an ended goal gives its one snapshot and opens no stream', async () => {
    const server = await startScriptedServer(({ path }) => json(path.endsWith('/graph') ? done.graph : done.goal));
    const updates = [];
    for await (const update of client(server.url).goals.watch(goalId)) updates.push(update);
    expect(updates).toEqual([{ type: 'snapshot', ...done }]);
    expect(server.requests).toHaveLength(2);
  });

  test('does not end with a graph from before the end', async () => {
    const server = await startScriptedServer(({ path }) => {
      if (!path.endsWith('/graph')) return json(done.goal);
      return json(
        server.requests.filter((request) => request.path.endsWith('/graph')).length < 3 ? running.graph : done.graph,
      );
    });
    const updates = [];
    for await (const update of client(server.url).goals.watch(goalId)) updates.push(update);
    expect(updates).toEqual([{ type: 'snapshot', ...done }]);
  });

  test('outlasts an API that is away for longer than a call is retried', async () => {
    let refusals = 0;
    let streams = 0;
    const server = await startScriptedServer(({ path }) => {
      if (path.endsWith('/events')) {
        streams += 1;
        return streams === 1 ? eventStream([frame(3)], 'stay') : problem(500, 'ASTRA_INTERNAL', 'one stream is enough');
      }
      if (streams > 0 && refusals < 7) {
        refusals += 1;
        return problem(503, 'ASTRA_UNAVAILABLE', 'away');
      }
      const { goal, graph } = refusals > 0 ? done : running;
      return json(path.endsWith('/graph') ? graph : goal);
    });
    const statuses = [];
    for await (const update of client(server.url).goals.watch(goalId)) {
      if (update.type === 'snapshot') statuses.push(update.goal.status);
    }
    expect(statuses).toEqual(['running', 'completed']);
    expect(refusals).toBe(7);
  });

  test('merges a burst of events into few snapshots', async () => {
    let ended = false;
    const server = await startScriptedServer(({ path }) => {
      if (path.endsWith('/events')) {
        ended = true;
        return eventStream(
          [...Array.from({ length: 500 }, (_, i) => frame(i + 3)), frame(503, 'goal.completed')],
          'close',
        );
      }
      const { goal, graph } = ended ? done : running;
      return json(path.endsWith('/graph') ? graph : goal);
    });
    let snapshots = 0;
    for await (const update of client(server.url).goals.watch(goalId)) snapshots += update.type === 'snapshot' ? 1 : 0;
    expect(snapshots).toBeLessThan(10);
  });

  test('lets go of the event stream when the watcher leaves', async () => {
    let closed = false;
    const server = await startScriptedServer(({ path }) => {
      if (!path.endsWith('/events')) return json(path.endsWith('/graph') ? running.graph : running.goal);
      return (response, request) => {
        response.on('close', () => (closed = true));
        return eventStream([progressFrame(2, '1-0', 'hello')], 'stay')(response, request);
      };
    });
    for await (const update of client(server.url).goals.watch(goalId)) if (update.type === 'task.progress') break;
    await expect.poll(() => closed).toBe(true);
  });
});

describe('acting on goals', () => {
  test('pause and resume say how', async () => {
    const server = await startScriptedServer(() => json(goalView({ status: 'paused' }), 202));
    const { goals } = client(server.url);
    expect(await goals.pause(goalId, { running: 'hold', reason: 'lunch' })).toMatchObject({ status: 'paused' });
    await goals.resume(goalId);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      [`/v1/goals/${goalId}/pause`, { running: 'hold', reason: 'lunch' }],
      [`/v1/goals/${goalId}/resume`, {}],
    ]);
  });

  test('cancel gives the reason and is refused once the goal has ended', async () => {
    const server = await startScriptedServer(
      inOrder(
        json(goalView({ status: 'cancelling' }), 202),
        problem(409, 'ASTRA_GOAL_FINISHED', 'The goal has already ended'),
      ),
    );
    const { goals } = client(server.url);
    const asked = { reason: 'wrong repository', compensate: true };
    expect(await goals.cancel(goalId, asked)).toMatchObject({ status: 'cancelling' });
    expect(server.requests[0]).toMatchObject({ method: 'POST', body: asked });
    await expect(goals.cancel(goalId)).rejects.toMatchObject({ code: 'ASTRA_GOAL_FINISHED' });
  });
});
