import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { loadConfig } from '../../platform/config.ts';
import { keys } from '../../stores/cache/keys.ts';
import { createViewCache } from '../../stores/cache/view-cache.ts';
import { createViewMemory } from '../../stores/cache/view-memory.ts';
import { createGoalReader } from '../../stores/goal-reader.ts';
import { createHotViews } from '../../stores/hot-views.ts';
import { createRedis } from '../../stores/redis.ts';
import { startStallingProxy, type StallingProxy } from '../support/stalling-proxy.ts';
import { until } from '../support/until.ts';
import { begin, completed, createRecordBench, draft, tool, type Process, type RecordBench } from './record-support.ts';

const maxStaleMs = 100;
let bench: RecordBench;
let worker: Process;
let proxy: StallingProxy;
const closings: (() => void)[] = [];

beforeAll(async () => {
  bench = await createRecordBench();
  worker = await bench.start();
  proxy = await startStallingProxy(Number(new URL(bench.redisUrl).port), '__redis__:invalidate');
});
afterEach(() => {
  proxy.flow();
  for (const close of closings.splice(0)) close();
});
afterAll(async () => {
  proxy.close();
  await bench.stop();
});

/** What an API process has for its reads; its Redis is behind the proxy. */
async function startReads({ maxBytes = 2 ** 20 } = {}) {
  const { env } = inject('stack');
  const redisUrl = Object.assign(new URL(bench.redisUrl), { port: String(proxy.port) }).href;
  const redis = createRedis(loadConfig({ ...env, REDIS_URL: redisUrl }));
  const viewCache = createViewCache(redis);
  const memory = createViewMemory(redis, { maxBytes });
  const queries = { memory: 0, redis: 0, postgres: 0 };
  const onQuery = (source: keyof typeof queries) => (queries[source] += 1);
  const hotViews = createHotViews({ viewCache, memory, render: (viewJson) => viewJson, onQuery });
  const reader = createGoalReader({ pool: worker.pool, viewCache, hotViews, onQuery });
  closings.push(() => {
    memory.close();
    viewCache.close();
    redis.disconnect();
  });
  await until(() => viewCache.trusted, 'the view cache is trusted');
  return { redis, memory, hotViews, reader, queries };
}
type Reads = Awaited<ReturnType<typeof startReads>>;

async function begun(): Promise<GoalRef> {
  const goal = bench.newGoal();
  await begin(worker.recorder, goal, [tool('a'), tool('b')]);
  return goal;
}
/** Until the goal is in memory. */
const warm = ({ hotViews }: Reads, goal: GoalRef): Promise<void> =>
  until(async () => {
    await hotViews.read(goal);
    return hotViews.recall(goal) !== null;
  }, 'memory has the goal');

/**
 * Records event after event for a while and looks at memory all the time. What it shows may be older than the latest
 * event that is told, and then it was told at most 100 ms ago.
 */
async function watchWhileRecording({ hotViews }: Reads, goal: GoalRef, forMs: number) {
  const toldAt = new Map<number, number>();
  const seen = { shown: 0, staleMs: 0 };
  let recording = true;
  const endsAt = performance.now() + forMs;
  const record = async (): Promise<void> => {
    for (let attempt = 1; performance.now() < endsAt; attempt += 1) {
      await worker.recorder.record(goal, [draft('task.started', {}, { taskId: 'a', attempt })]);
      const now = performance.now();
      toldAt.set(Number(await worker.redis.hget(keys.goal(goal), 'seq')), now);
    }
    recording = false;
  };
  const look = async (): Promise<void> => {
    while (recording) {
      const view = hotViews.recall(goal) ?? (await hotViews.read(goal));
      const supersededAt = toldAt.get((view?.seq ?? 0) + 1) ?? Infinity;
      seen.staleMs = Math.max(seen.staleMs, performance.now() - supersededAt);
      seen.shown += 1;
      await nextTurn();
    }
  };
  await Promise.all([record(), look()]);
  expect(toldAt.size).toBeGreaterThan(10);
  return seen;
}

describe('a view in memory', () => {
  test('is answered without a question to anybody, and is gone when the goal changes', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    const before = { ...reads.queries };
    for (let i = 0; i < 10; i += 1) expect(reads.hotViews.recall(goal)).toMatchObject({ seq: 2 });
    expect(reads.queries).toEqual({ ...before, memory: before.memory + 10 });
    await worker.recorder.record(goal, [completed('a')]);
    await until(() => reads.hotViews.recall(goal) === null, 'memory has forgotten the goal');
    await warm(reads, goal);
    expect(reads.hotViews.recall(goal)).toMatchObject({ seq: 3 });
  });

  test('is the tenant’s own', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    expect(reads.hotViews.recall({ ...goal, tenant: 'somebody-else' })).toBeNull();
    await expect(reads.hotViews.read({ ...goal, tenant: 'somebody-else' })).resolves.toBeNull();
  });

  test('makes room for others', async () => {
    const reads = await startReads({ maxBytes: 4_000 });
    const first = await begun();
    await warm(reads, first);
    const others = await Promise.all(Array.from({ length: 4 }, begun));
    for (const goal of others) await warm(reads, goal);
    expect(reads.hotViews.recall(first)).toBeNull();
  });

  test('is not kept when the goal changed while it was read', async () => {
    const reads = await startReads();
    const [goal, later] = await Promise.all([begun(), begun()]);
    await warm(reads, later);
    await reads.memory.refresh(goal, async () => {
      await reads.redis.hget(keys.goal(goal), 'seq');
      await worker.recorder.record(goal, [completed('a')]);
      await worker.recorder.record(later, [completed('a')]);
      await until(() => reads.hotViews.recall(later) === null, 'both changes are told');
      return { seq: 2, body: '{}' };
    });
    expect(reads.hotViews.recall(goal)).toBeNull();
  });

  test('is never behind what was read past it, nor behind what was just done', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    proxy.stall();
    await worker.recorder.record(goal, [completed('a')]);
    for (const read of ['view', 'graph'] as const) {
      await expect(reads.reader[read](goal.tenant, goal.goalId)).resolves.toMatchObject({ seq: 3 });
      expect(reads.hotViews.recall(goal)).toBeNull();
    }
    proxy.flow();
    await warm(reads, goal);
    proxy.stall();
    await worker.recorder.record(goal, [completed('b')]);
    reads.hotViews.forget(goal);
    expect(reads.hotViews.recall(goal)).toBeNull();
  });
});

describe('memory is never more than 100 ms behind', () => {
  test('while Redis tells of changes', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    const { shown, staleMs } = await watchWhileRecording(reads, goal, 1_000);
    expect(shown).toBeGreaterThan(100);
    expect(staleMs).toBeLessThanOrEqual(maxStaleMs);
    expect(reads.queries.memory).toBeGreaterThan(0);
  });

  test('while the connection that tells of them is broken without a word, and it is used again afterwards', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    proxy.stall();
    const { staleMs } = await watchWhileRecording(reads, goal, 1_500);
    expect(staleMs).toBeLessThanOrEqual(maxStaleMs);
    expect(reads.hotViews.recall(goal)).toBeNull();
    proxy.flow();
    await warm(reads, goal);
  });

  test('when that connection is cut', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    await worker.redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    const { staleMs } = await watchWhileRecording(reads, goal, 500);
    expect(staleMs).toBeLessThanOrEqual(maxStaleMs);
    await warm(reads, goal);
  });

  test('when the connection that reads is cut', async () => {
    const reads = await startReads();
    const goal = await begun();
    await warm(reads, goal);
    reads.redis.disconnect(true);
    const { staleMs } = await watchWhileRecording(reads, goal, 500);
    expect(staleMs).toBeLessThanOrEqual(maxStaleMs);
    await warm(reads, goal);
  });
});
