import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createMemoryGoal, goal } from '../test-support/memory-goal.ts';
import { goalFrames } from './goal-frames.ts';
import { createPageReader, type PageReader } from './read-lanes.ts';
import type { StreamPosition } from './sse-frame.ts';

type MemoryGoal = ReturnType<typeof createMemoryGoal>;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const pageReaders = new WeakMap<MemoryGoal, PageReader>();
/** One page reader for all streams of a goal, as an API process has. */
function depsOf(memory: MemoryGoal) {
  const readPage = pageReaders.get(memory) ?? createPageReader(memory.deps);
  pageReaders.set(memory, readPage);
  return { ...memory.deps, readPage };
}

/** Reads in the background, as a client that takes frames at once. */
function follow(memory: MemoryGoal, after: StreamPosition | null = null, { lastSeq = Infinity } = {}) {
  const stop = new AbortController();
  const ids: string[] = [];
  const texts: string[] = [];
  let ended = false;
  const reading = (async () => {
    for await (const text of goalFrames(depsOf(memory), goal, { after, signal: stop.signal, lastSeq })) {
      texts.push(text);
      for (const [, id] of text.matchAll(/^id: (.*)$/gm)) ids.push(id ?? '');
    }
    ended = true;
  })();
  return { ids, texts, stop, reading, ended: () => ended };
}
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the durable lane', () => {
  test('gives every event once and in order, and ends after the last one', async () => {
    const memory = createMemoryGoal();
    for (let i = 0; i < 250; i += 1) memory.commit('task.skipped');
    const reader = follow(memory);
    await settle();
    memory.commit('task.skipped');
    memory.commit('goal.cancelled');
    await settle();
    await reader.reading;
    expect(reader.ids).toEqual(Array.from({ length: 252 }, (_, i) => String(i + 1)));
    expect(memory.watchers.size).toBe(0);
  });

  test('ends with what came after the end of the goal, for those who begin there', async () => {
    const memory = createMemoryGoal();
    memory.commit('goal.cancelled');
    memory.commit('task.skipped');
    const reader = follow(memory, { seq: 1, liveId: null }, { lastSeq: 2 });
    await settle();
    await reader.reading;
    expect(reader.ids).toEqual(['2']);
  });

  test('goes on after the id given, with nothing lost or repeated', async () => {
    const memory = createMemoryGoal();
    for (let i = 0; i < 5; i += 1) memory.commit('task.skipped');
    const reader = follow(memory, { seq: 3, liveId: null });
    await settle();
    memory.commit('goal.cancelled');
    await settle();
    expect(reader.ids).toEqual(['4', '5', '6']);
    expect(reader.ended()).toBe(true);
  });

  test('is polled each second while nobody wakes it', async () => {
    const memory = createMemoryGoal();
    memory.state.connected = false;
    const reader = follow(memory);
    await settle();
    memory.commit('goal.cancelled', { silent: true });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(reader.ids).toEqual(['1']);
  });

  test('survives a lost wake-up and an outage of the database', async () => {
    const memory = createMemoryGoal();
    const reader = follow(memory);
    await settle();
    memory.state.postgresAway = true;
    memory.commit('task.skipped');
    await settle();
    expect(reader.ids).toEqual([]);
    memory.state.postgresAway = false;
    memory.commit('goal.cancelled', { silent: true });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reader.ids).toEqual(['1', '2']);
  });

  test('reads once for a burst of wake-ups', async () => {
    const memory = createMemoryGoal();
    follow(memory);
    await settle();
    const before = memory.state.reads;
    for (let i = 0; i < 50; i += 1) memory.commit('task.skipped');
    await settle();
    expect(memory.state.reads - before).toBeLessThanOrEqual(2);
  });
});

test('streams that stand at the same place share what they read', async () => {
  const memory = createMemoryGoal();
  memory.commit('task.skipped');
  const readers = Array.from({ length: 50 }, () => follow(memory));
  const behind = follow(memory, { seq: 1, liveId: null });
  await settle();
  const before = memory.state.reads;
  memory.commit('task.skipped');
  memory.progress('a');
  await settle();
  for (const reader of readers) expect(reader.ids).toEqual(['1', '2', '2-1700000000000-0']);
  expect(behind.ids).toEqual(['2', '2-1700000000000-0']);
  expect(memory.state.reads - before).toBeLessThanOrEqual(4);
});

describe('the live lane', () => {
  test('is put between the durable events by time, with ids that extend the last seq', async () => {
    const memory = createMemoryGoal();
    memory.commit('task.skipped');
    memory.progress('a');
    memory.commit('task.skipped');
    memory.progress('b');
    const reader = follow(memory);
    await settle();
    expect(reader.ids).toEqual(['1', '1-1700000000000-0', '2', '2-1700000000001-0']);
    expect(reader.texts.join('')).toContain('"type":"task.progress","at":');
  });

  test('comes before the event that ends the stream', async () => {
    const memory = createMemoryGoal();
    const reader = follow(memory);
    await settle();
    memory.state.connected = true;
    memory.commit('goal.cancelled', { silent: true });
    memory.progress('last words');
    memory.wake('event');
    await settle();
    expect(reader.ids).toEqual(['0-1700000000000-0', '1']);
  });

  test('resumes after a live frame where it stopped, after a durable one with what is new', async () => {
    const memory = createMemoryGoal();
    memory.commit('task.skipped');
    memory.progress('a');
    memory.progress('b');
    const atLive = follow(memory, { seq: 1, liveId: '1700000000000-0' });
    const atDurable = follow(memory, { seq: 1, liveId: null });
    await settle();
    expect(atLive.ids).toEqual(['1-1700000000001-0']);
    expect(atDurable.ids).toEqual([]);
    memory.progress('c');
    await settle();
    expect(atDurable.ids).toEqual(['1-1700000000002-0']);
  });

  test('costs no look at the database', async () => {
    const memory = createMemoryGoal();
    follow(memory);
    await settle();
    const before = memory.state.reads;
    memory.progress('a');
    await settle();
    expect(memory.state.reads).toBe(before);
  });
});

test('says that it is still there when nothing happens for 15 seconds', async () => {
  const memory = createMemoryGoal();
  const reader = follow(memory);
  await vi.advanceTimersByTimeAsync(31_000);
  expect(reader.texts).toEqual(['retry: 1000\n\n', ': still here\n\n', ': still here\n\n']);
});

test('stops at once, wherever it waits, when it is told to', async () => {
  const memory = createMemoryGoal();
  const reader = follow(memory);
  await settle();
  reader.stop.abort();
  await reader.reading;
  expect(memory.watchers.size).toBe(0);
});

test('a reader that takes nothing makes it read nothing ahead', async () => {
  const memory = createMemoryGoal();
  for (let i = 0; i < 1_000; i += 1) memory.commit('task.skipped');
  const frames = goalFrames(depsOf(memory), goal, { after: null, signal: new AbortController().signal });
  await frames.next();
  await frames.next();
  for (let i = 0; i < 1_000; i += 1) memory.progress('x');
  await settle();
  expect(memory.state.reads).toBe(1);
  await frames.return();
  expect(memory.watchers.size).toBe(0);
});
