import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { awaitTask } from '../support/e2e/await-task.ts';
import { durableSeqs, isLive, liveText, readStream } from '../support/e2e/event-stream.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { echo, goalOf, shell, type Task } from '../support/e2e/tasks.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const hook: Task = { id: 'hook', kind: 'wait', event: 'go' };
const gapless = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** A goal that stands still, with a task behind it and one before it. */
async function standingGoal(): Promise<string> {
  const { id } = await system.astra.goals.submit(
    goalOf([echo('before', 1), { ...hook, after: ['before'] }, echo('after', 2, { after: ['hook'] })]),
  );
  await awaitTask(system.astra, id, 'hook', 'running');
  return id;
}

async function readsBySource(): Promise<Record<'cached' | 'postgres' | 'temporal', number>> {
  const metrics = await system.metrics('api');
  const of = (source: string): number => metrics.sum('astra_reads_total', { source });
  return { cached: of('memory') + of('redis'), postgres: of('postgres'), temporal: of('temporal') };
}

describe('views and graphs', () => {
  test.each(['running', 'completed'])('of a goal that is %s are read from memory and Redis alone', async (status) => {
    const id = status === 'running' ? await standingGoal() : (await runGoal(system.astra, goalOf([echo('a', 1)]))).id;
    const before = await readsBySource();
    for (let n = 0; n < 50; n += 1) {
      for (const path of ['', '/graph']) {
        const response = await system.fetch(`/v1/goals/${id}${path}`);
        expect(response.status).toBe(200);
        await response.arrayBuffer();
      }
    }
    const after = await readsBySource();
    expect({
      cached: after.cached - before.cached,
      postgres: after.postgres - before.postgres,
      temporal: after.temporal - before.temporal,
    }).toEqual({ cached: 100, postgres: 0, temporal: 0 });
    expect((await system.astra.goals.get(id)).status).toBe(status);
    if (status === 'running') await system.astra.goals.cancel(id);
  });

  test('are not sent again to who has them', async () => {
    const id = await standingGoal();
    for (const path of ['', '/graph']) {
      const read = (known?: string): Promise<Response> =>
        system.fetch(`/v1/goals/${id}${path}`, known === undefined ? {} : { headers: { 'if-none-match': known } });
      const first = await read();
      const etag = first.headers.get('etag')!;
      const { seq } = (await first.json()) as { seq: number };
      const tag = `"${seq}"`;
      // What is expected of the tasks changes without an event.
      expect(etag).toBe(path === '/graph' ? `W/${tag}` : tag);
      for (const known of [tag, `W/${tag}`, `"1", ${tag}`]) {
        const same = await read(known);
        expect({ status: same.status, etag: same.headers.get('etag'), body: await same.text() }).toEqual({
          status: 304,
          etag,
          body: '',
        });
      }
      expect((await read('"1"')).status).toBe(200);
    }
    const { seq } = await system.astra.goals.get(id);
    await system.astra.goals.sendEvent(id, { name: 'go' });
    const { view } = await finishedGoal(system.astra, id);
    expect(view.seq).toBeGreaterThan(seq);
    const changed = await system.fetch(`/v1/goals/${id}`, { headers: { 'if-none-match': `"${seq}"` } });
    expect({ status: changed.status, etag: changed.headers.get('etag') }).toEqual({
      status: 200,
      etag: `"${view.seq}"`,
    });
  });

  test('wait for the event that the reader knows of', async () => {
    const id = await standingGoal();
    const { seq } = await system.astra.goals.get(id);
    const waiting = system.astra.goals.get(id, { minSeq: seq + 1 });
    await system.astra.goals.sendEvent(id, { name: 'go' });
    expect((await waiting).seq).toBeGreaterThan(seq);
    await finishedGoal(system.astra, id);
  });

  test('say where a goal stands while it runs', async () => {
    const id = await standingGoal();
    const [view, { tasks }] = await Promise.all([system.astra.goals.get(id), system.astra.goals.graph(id)]);
    expect(view).toMatchObject({ status: 'running', finishedAt: null, output: null });
    expect(view.progress).toEqual({ total: 3, completed: 1, running: 1, failed: 0, skipped: 0, waiting: 1 });
    expect(tasks.map(({ status }) => status)).toEqual(['completed', 'running', 'pending']);
    expect(tasks[2]?.waitingFor).toEqual({ kind: 'dependency', detail: 'hook', until: null });
    expect(view.links.temporal).toContain(encodeURIComponent(`goal/${id}`));
    await system.astra.goals.cancel(id);
  });
});

describe('results', () => {
  test('are waited for as long as asked, and no longer', async () => {
    const id = await standingGoal();
    const early = await system.fetch(`/v1/goals/${id}/result?wait=1s`);
    expect(early.status).toBe(202);
    expect(await early.json()).toEqual({ goalId: id, status: 'running', error: null });
    const waiting = system.fetch(`/v1/goals/${id}/result?wait=30s`);
    await system.astra.goals.sendEvent(id, { name: 'go' });
    const result = await waiting;
    expect(result.status).toBe(200);
    expect(await result.json()).toEqual({ goalId: id, status: 'completed', output: null, error: null });
  });
});

describe('the event stream', () => {
  const talk = shell('talk', 'for n in 1 2 3 4 5 6; do echo "line $n"; sleep 0.3; done');
  const lines = [1, 2, 3, 4, 5, 6].map((n) => `line ${n}\n`).join('');

  test('brings every event in order, and what commands write as they write it', async () => {
    const { id } = await system.astra.goals.submit(
      goalOf([echo('before', 1), { ...talk, after: ['before'] }, echo('after', 2, { after: ['talk'] })]),
    );
    const { frames } = await readStream(system, id);
    const goal = await finishedGoal(system.astra, id);
    expect(durableSeqs(frames)).toEqual(gapless(goal.view.seq));
    expect(frames.filter((frame) => !isLive(frame)).map(({ data }) => JSON.parse(data) as unknown)).toEqual(
      goal.events,
    );
    expect(frames.at(-1)?.event).toBe('goal.completed');
    expect(liveText(frames)).toBe(lines);
    const talkEnds = frames.findIndex(({ event, data }) => event === 'task.completed' && data.includes('"talk"'));
    expect(frames.findIndex(isLive), 'before the command has ended').toBeLessThan(talkEnds);
    const [live] = frames.filter(isLive).map(({ data }) => JSON.parse(data) as unknown);
    expect(live).toMatchObject({ goalId: id, type: 'task.progress', taskId: 'talk', attempt: 1, stream: 'stdout' });
  });

  test('goes on where it was cut, loses no event and repeats none', async () => {
    const chain = Array.from({ length: 30 }, (_, n) => echo(`t${n}`, n, n === 0 ? {} : { after: [`t${n - 1}`] }));
    const { id } = await system.astra.goals.submit(goalOf([talk, ...chain, { ...hook, after: ['talk', 't29'] }]));
    // Cut at a durable event, then at a live frame, then after the last event so far.
    const first = await readStream(system, id, { enough: ({ id: frameId }) => frameId === '5' });
    const second = await readStream(system, id, { lastEventId: '5', enough: (frame) => isLive(frame) });
    const liveId = second.frames.at(-1)!.id;
    expect(liveId).toMatch(/^\d+-\d+-\d+$/);
    const third = await readStream(system, id, { lastEventId: liveId, enough: ({ data }) => data.includes('"hook"') });
    await system.astra.goals.sendEvent(id, { name: 'go' });
    const fourth = await readStream(system, id, { lastEventId: third.frames.at(-1)!.id });
    const goal = await finishedGoal(system.astra, id);
    const all = [first, second, third, fourth].flatMap(({ frames }) => frames);
    expect(durableSeqs(all)).toEqual(gapless(goal.view.seq));
    const liveIds = [...second.frames, ...third.frames, ...fourth.frames]
      .filter(isLive)
      .map(({ id: frameId }) => frameId.replace(/^\d+-/, ''));
    expect(new Set(liveIds).size, 'no live frame twice').toBe(liveIds.length);
    expect(lines.endsWith(liveText(third.frames)), 'the live lane goes on behind the frame it was cut at').toBe(true);
    expect(liveText(third.frames)).not.toBe('');
  });

  test('is over for who has seen all of it, and refuses what is no place in it', async () => {
    const { id, view } = await runGoal(system.astra, goalOf([echo('a', 1)]));
    expect(await readStream(system, id, { lastEventId: String(view.seq) })).toEqual({ status: 204, frames: [] });
    const rest = await readStream(system, id, { lastEventId: String(view.seq - 1) });
    expect(rest.frames.map(({ event }) => event)).toEqual(['goal.completed']);
    for (const lastEventId of ['x', '-1', '1-2', '1.5']) {
      expect((await readStream(system, id, { lastEventId })).status, lastEventId).toBe(400);
    }
  });

  test('may be read in pages', async () => {
    const chain = Array.from({ length: 20 }, (_, n) => echo(`t${n}`, n));
    const { id, events } = await runGoal(system.astra, goalOf(chain));
    const seen: unknown[] = [];
    let path: string | null = `/v1/goals/${id}/events?limit=7`;
    while (path !== null) {
      const page = (await (await system.fetch(path)).json()) as { items: unknown[]; nextCursor: string | null };
      expect(page.items.length).toBeLessThanOrEqual(7);
      seen.push(...page.items);
      path = page.nextCursor === null ? null : `/v1/goals/${id}/events?limit=7&cursor=${page.nextCursor}`;
    }
    expect(seen).toEqual(events);
    const after = (await (await system.fetch(`/v1/goals/${id}/events?afterSeq=20`)).json()) as {
      items: { seq: number }[];
    };
    expect(after.items.map(({ seq }) => seq)).toEqual(events.slice(20).map(({ seq }) => seq));
  });
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
