import { describe, expect, test } from 'vitest';
import { createAstra, type GoalEvent, type TaskProgress } from './index.ts';
import { frame, goalId, goalView, progressFrame } from './test-support/goal-samples.ts';
import { drop, eventStream, inOrder, json, problem, startScriptedServer } from './test-support/scripted-server.ts';

const client = (apiUrl: string) => createAstra({ apiUrl, backOff: { baseMs: 1, capMs: 5 } });

async function collect<T>(events: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) all.push(event);
  return all;
}
const seqs = (events: readonly GoalEvent[]) => events.map(({ seq }) => seq);
const final = (seq: number) => frame(seq, 'goal.completed');

describe('following events', () => {
  test('yields each durable event in order and ends with the goal', async () => {
    const server = await startScriptedServer(inOrder(eventStream([frame(1), ': hi\n\n', frame(2), final(3)], 'stay')));
    const events = await collect(client(server.url).goals.events(goalId));
    expect(seqs(events)).toEqual([1, 2, 3]);
    expect(events[2]?.type).toBe('goal.completed');
    expect(server.requests[0]).toMatchObject({
      path: `/v1/goals/${goalId}/events`,
      headers: { accept: 'text/event-stream' },
    });
    expect(server.requests[0]?.headers['last-event-id']).toBeUndefined();
  });

  test('resumes after a break in the middle of a frame, repeating and losing nothing', async () => {
    const half = frame(3);
    const server = await startScriptedServer(
      inOrder(
        eventStream([frame(1), frame(2), half.slice(0, half.length / 2)], 'break'),
        drop,
        problem(503, 'ASTRA_UNAVAILABLE', 'away'),
        // A server may send again what the client has.
        eventStream([frame(2), frame(3), final(4)], 'close'),
      ),
    );
    expect(seqs(await collect(client(server.url).goals.events(goalId)))).toEqual([1, 2, 3, 4]);
    expect(server.requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '2', '2', '2']);
  });

  test('survives a break after every single byte', async () => {
    const stream = [frame(1), frame(2), final(3)].join('');
    let bytes = 0;
    const server = await startScriptedServer((request) => {
      const resumed = Number(request.headers['last-event-id'] ?? 0);
      const rest = [frame(1), frame(2), final(3)].slice(resumed).join('');
      bytes += 7;
      return eventStream([rest.slice(0, bytes % (stream.length + 1))], 'break');
    });
    expect(seqs(await collect(client(server.url).goals.events(goalId)))).toEqual([1, 2, 3]);
    expect(server.requests.length).toBeGreaterThan(20);
  });

  test('asks for the rest when the server closes before the goal has ended', async () => {
    const server = await startScriptedServer(
      inOrder(eventStream([frame(1)], 'close'), json(goalView({ seq: 1 })), eventStream([final(2)], 'close')),
    );
    expect(seqs(await collect(client(server.url).goals.events(goalId)))).toEqual([1, 2]);
    expect(server.requests[2]?.headers['last-event-id']).toBe('1');
  });

  test('ends when the goal has ended and nothing is left after fromSeq', async () => {
    const server = await startScriptedServer(
      inOrder((response) => response.writeHead(204).end(), json(goalView({ seq: 9, status: 'completed' }))),
    );
    expect(await collect(client(server.url).goals.events(goalId, { fromSeq: 10 }))).toEqual([]);
    expect(server.requests[0]?.headers['last-event-id']).toBe('9');
  });

  test('begins at fromSeq', async () => {
    const server = await startScriptedServer(inOrder(eventStream([frame(10), final(11)], 'close')));
    expect(seqs(await collect(client(server.url).goals.events(goalId, { fromSeq: 10 })))).toEqual([10, 11]);
    expect(server.requests[0]?.headers['last-event-id']).toBe('9');
  });

  test('fetches an event again that the server skipped, and says so when it stays away', async () => {
    const healed = await startScriptedServer(
      inOrder(eventStream([frame(1), frame(3)], 'stay'), eventStream([frame(2), frame(3), final(4)], 'stay')),
    );
    expect(seqs(await collect(client(healed.url).goals.events(goalId)))).toEqual([1, 2, 3, 4]);
    const lost = await startScriptedServer(() => eventStream([frame(1), frame(3)], 'stay'));
    await expect(collect(client(lost.url).goals.events(goalId))).rejects.toMatchObject({
      code: 'ASTRA_INTERNAL',
      message: expect.stringContaining('2 to 2') as unknown,
    });
  });

  test('yields the live lane only when asked and resumes behind its last frame', async () => {
    const script = () =>
      inOrder(
        eventStream([frame(1), progressFrame(1, '5-0', 'a'), progressFrame(1, '6-0', 'b')], 'break'),
        eventStream([progressFrame(1, '7-0', 'c'), final(2)], 'stay'),
      );
    const live = await startScriptedServer(script());
    const all = await collect(client(live.url).goals.events(goalId, { live: true }));
    const texts = all.filter((event): event is TaskProgress => event.type === 'task.progress').map(({ text }) => text);
    expect(texts).toEqual(['a', 'b', 'c']);
    expect(live.requests[1]?.headers['last-event-id']).toBe('1-6-0');
    const durable = await startScriptedServer(script());
    expect(seqs(await collect(client(durable.url).goals.events(goalId)))).toEqual([1, 2]);
  });

  test('takes a silent connection for dead', async () => {
    const server = await startScriptedServer(inOrder(eventStream([frame(1)], 'stay'), eventStream([final(2)], 'stay')));
    expect(seqs(await collect(client(server.url).goals.events(goalId, { idleTimeoutMs: 100 })))).toEqual([1, 2]);
  });

  test('gives up when the API stays away after a drop', async () => {
    const server = await startScriptedServer(
      inOrder(eventStream([frame(1)], 'break'), ...Array.from({ length: 500 }, () => drop)),
    );
    const events = client(server.url).goals.events(goalId, { reconnectForMs: 50 });
    expect((await events.next()).value).toMatchObject({ seq: 1 });
    await expect(events.next()).rejects.toMatchObject({ code: 'ASTRA_CONNECTION' });
  });

  test('is refused at once where the API refuses', async () => {
    const server = await startScriptedServer(() => problem(404, 'ASTRA_NOT_FOUND', 'No such goal'));
    await expect(collect(client(server.url).goals.events(goalId))).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
    expect(server.requests).toHaveLength(1);
  });

  test('stops with the reason of the abort, in the middle of a read', async () => {
    const server = await startScriptedServer(() => eventStream([frame(1)], 'stay'));
    const abort = new AbortController();
    const events = client(server.url).goals.events(goalId, { signal: abort.signal });
    await events.next();
    const next = events.next();
    abort.abort(new Error('enough'));
    await expect(next).rejects.toThrow('enough');
  });

  test('closes the connection when the reader leaves the loop', async () => {
    let closed = false;
    const server = await startScriptedServer(() => async (response, request) => {
      response.on('close', () => (closed = true));
      await eventStream([frame(1)], 'stay')(response, request);
    });
    for await (const event of client(server.url).goals.events(goalId)) if (event.seq === 1) break;
    await expect.poll(() => closed).toBe(true);
  });
});
