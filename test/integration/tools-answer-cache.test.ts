import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { loadConfig } from '../../platform/config.ts';
import { createAnswerCache, type AnswerCacheDeps } from '../../stores/cache/answer-cache.ts';
import { createRedis } from '../../stores/redis.ts';

const config = loadConfig(inject('stack').env);
const redis = createRedis(config);
const quiet = { warn: () => undefined, info: () => undefined };
const create = (deps: Partial<AnswerCacheDeps> = {}) =>
  createAnswerCache({ memcachedServers: config.MEMCACHED_SERVERS, redis, logger: quiet, ...deps });
const freshKey = () => ({ tenant: 'default', tool: 'http.fetch', input: { nonce: randomBytes(8).toString('hex') } });
afterAll(() => redis.disconnect());

describe.each([
  ['Memcached', config.MEMCACHED_SERVERS],
  ['Redis, when there is no Memcached', []],
])('in %s', (_, memcachedServers) => {
  const cache = create({ memcachedServers });
  afterAll(() => cache.close());

  test('an answer comes back for the same tenant, tool and input, in whatever order its keys are', async () => {
    const { tenant, tool, input } = freshKey();
    const answer = { list: [1, 'ü', null] };
    await cache.set({ tenant, tool, input: { ...input, b: 1, a: { y: 1, x: 2 } } }, answer, { ttlSeconds: 60 });
    expect(await cache.get({ tenant, tool, input: { a: { x: 2, y: 1 }, b: 1, ...input } })).toEqual(answer);
    expect(await cache.get({ tenant, tool, input })).toBeUndefined();
    expect(await cache.get({ tenant: 'other', tool, input: { ...input, b: 1, a: { y: 1, x: 2 } } })).toBeUndefined();
    expect(
      await cache.get({ tenant, tool: 'other.tool', input: { ...input, b: 1, a: { y: 1, x: 2 } } }),
    ).toBeUndefined();
  });

  test('null is an answer', async () => {
    const key = freshKey();
    await cache.set(key, null, { ttlSeconds: 60 });
    expect(await cache.get(key)).toBeNull();
  });

  test('it is gone after its time', async () => {
    const key = freshKey();
    await cache.set(key, 1, { ttlSeconds: 1 });
    await expect.poll(() => cache.get(key), { timeout: 5_000 }).toBeUndefined();
  });

  test('one of almost 1 MiB is kept, a larger one is not, nor one without time', async () => {
    const [large, larger, none] = [freshKey(), freshKey(), freshKey()];
    await cache.set(large, 'x'.repeat(1_000_000), { ttlSeconds: 60 });
    await cache.set(larger, 'x'.repeat(1_100_000), { ttlSeconds: 60 });
    await cache.set(none, 'x', { ttlSeconds: 0 });
    expect(await cache.get(large)).toHaveLength(1_000_000);
    expect([await cache.get(larger), await cache.get(none)]).toEqual([undefined, undefined]);
  });
});

describe('while the cache is away', () => {
  const lostRedis = (): Redis => {
    const lost = new Redis('redis://127.0.0.1:1', { lazyConnect: true, retryStrategy: () => null });
    lost.on('error', () => undefined);
    return lost;
  };

  test.each([
    ['Memcached', ['127.0.0.1:1']],
    ['Redis', []],
  ])('%s: every look is a quick miss, said once', async (_, memcachedServers) => {
    const warnings: unknown[] = [];
    const lost = lostRedis();
    const logger = { ...quiet, warn: (...given: unknown[]) => void warnings.push(given) };
    const cache = create({ memcachedServers, redis: lost, logger });
    const key = freshKey();
    const begin = performance.now();
    await cache.set(key, 1, { ttlSeconds: 60 });
    for (let look = 0; look < 5; look += 1) expect(await cache.get(key)).toBeUndefined();
    expect(performance.now() - begin).toBeLessThan(6 * 150);
    expect(warnings).toHaveLength(1);
    cache.close();
    lost.disconnect();
  });
});
