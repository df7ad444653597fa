import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Redis } from 'ioredis';
import memjs from 'memjs';
import { AstraError } from '../../domain/errors.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { Logger } from '../../platform/logger.ts';
import { keys } from './keys.ts';
import { memcachedKeys } from './memcached-keys.ts';

/** Whose answer, to what: the same for equal input, however its keys are ordered (RFC 8785). */
export interface AnswerKey {
  readonly tenant: string;
  readonly tool: string;
  readonly input: JsonObject;
}
export interface AnswerCache {
  /** Undefined: not there, or the cache is away. Answers within 100 ms either way. */
  get(key: AnswerKey): Promise<Json | undefined>;
  /** Never fails. Answers of more than 1 MiB are not kept. */
  set(key: AnswerKey, answer: Json, options: { readonly ttlSeconds: number }): Promise<void>;
  /** Every answer that the tenant was given. @returns how many. @throws ASTRA_UNAVAILABLE */
  removeTenant(tenant: string): Promise<number>;
  close(): void;
}
export interface AnswerCacheDeps {
  /** host:port; empty: Redis keeps the answers. */
  readonly memcachedServers: readonly string[];
  readonly redis: Redis;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
}

interface Store {
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlSeconds: number): Promise<unknown>;
  /** @returns how many keys. */
  removeAll(prefix: string): Promise<number>;
  close(): void;
}

const timeoutMs = 100;
/** Memcached's own limit on an item. */
const largestBytes = 1024 * 1024 - 1024;
/** Memcached takes a longer time to live for a date. */
const longestTtlSeconds = 30 * 24 * 3600;

/** Answers of tools that may be reused. Only ever saves work: whatever goes wrong is a miss, said once an outage. */
export function createAnswerCache({ memcachedServers, redis, logger }: AnswerCacheDeps): AnswerCache {
  const store = memcachedServers.length > 0 ? memcachedStore(memcachedServers) : redisStore(redis);
  let away = false;
  const guard = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      const result = await withinTime(work);
      if (away) logger.info('The answer cache is back.');
      away = false;
      return result;
    } catch (error) {
      if (!away) logger.warn({ err: error }, 'The answer cache is away; tools run without it.');
      away = true;
      return undefined;
    }
  };
  return {
    async get(key) {
      const text = await guard(store.get(keyOf(key)));
      return text === null || text === undefined ? undefined : parse(text);
    },
    async set(key, answer, { ttlSeconds }) {
      const text = JSON.stringify(answer);
      if (ttlSeconds < 1 || Buffer.byteLength(text) > largestBytes) return;
      await guard(store.set(keyOf(key), text, Math.min(Math.floor(ttlSeconds), longestTtlSeconds)));
    },
    async removeTenant(tenant) {
      try {
        return await store.removeAll(keys.answers(tenant));
      } catch (cause) {
        const message = 'The answer cache does not answer. What it holds of what is deleted goes when it is back.';
        throw new AstraError('ASTRA_UNAVAILABLE', message, { retryAfterSeconds: 1, cause });
      }
    },
    close: () => store.close(),
  };
}

function memcachedStore(servers: readonly string[]): Store {
  const seconds = timeoutMs / 1000;
  const client = memjs.Client.create(servers.join(','), {
    timeout: seconds,
    conntimeout: seconds,
    // Of attempts, the first included.
    retries: 1,
    logger: { log: () => undefined },
  });
  return {
    get: async (key) => (await client.get(key)).value?.toString('utf8') ?? null,
    set: (key, value, expires) => client.set(key, value, { expires }),
    async removeAll(prefix) {
      let removed = 0;
      for (const server of servers) {
        for await (const key of memcachedKeys(server, prefix)) if (await client.delete(key)) removed += 1;
      }
      return removed;
    },
    close: () => client.close(),
  };
}

function redisStore(redis: Redis): Store {
  return {
    get: (key) => redis.get(key),
    set: (key, value, ttlSeconds) => redis.set(key, value, 'EX', ttlSeconds),
    async removeAll(prefix) {
      let removed = 0;
      for await (const found of redis.scanStream({ match: `${prefix}*`, count: 1_000 })) {
        // A scan stream gives pages of keys.
        const page = found as string[];
        if (page.length > 0) removed += await redis.unlink(...page);
      }
      return removed;
    },
    close: () => undefined, // Whoever made the connection ends it.
  };
}

/** A client that is reconnecting holds requests back for as long as that takes. */
async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

function keyOf({ tenant, tool, input }: AnswerKey): string {
  const digest = createHash('sha256')
    .update(canonicalize([tool, input]) ?? '')
    .digest('hex');
  return keys.answer(tenant, digest);
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // JSON.parse yields JSON and nothing else.
  } catch {
    return undefined;
  }
}
