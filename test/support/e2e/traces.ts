import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Client, Connection } from '@temporalio/client';
import { escapeIdentifier } from 'pg';
import { loadConfig } from '../../../platform/config.ts';
import { createS3 } from '../../../stores/artifacts/s3.ts';
import { memcachedKeys } from '../../../stores/cache/memcached-keys.ts';
import { createPool } from '../../../stores/postgres/pool.ts';
import { createRedis } from '../../../stores/redis.ts';
import { until } from '../until.ts';

/** Looks through everything that keeps anything. */
export interface Traces extends AsyncDisposable {
  /**
   * Wherever one of the texts is: `events`, `redis astra:… …`, `s3 artifacts/…`, `temporal goal/…`, `schedule … …`,
   * `memcached …`. Values are looked at in Postgres, in Redis and of schedules.
   */
  find(...texts: readonly string[]): Promise<string[]>;
}

/** @param env a system's or stack's */
export async function connectTraces(env: Readonly<Record<string, string>>): Promise<Traces> {
  const config = loadConfig(env);
  const pool = createPool(config, { maxConnections: 2 });
  const redis = createRedis(config);
  const s3 = createS3(config);
  const connection = await Connection.connect({ address: config.TEMPORAL_ADDRESS });
  const temporal = new Client({ connection, namespace: config.TEMPORAL_NAMESPACE });
  await until(() => redis.status === 'ready', 'Redis answers');

  /** All tables, those without a tenant too, and all that their rows say. */
  async function inPostgres(texts: readonly string[]): Promise<string[]> {
    const { rows } = await pool.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`,
    );
    const found: string[] = [];
    for (const { name } of rows) {
      const { rowCount } = await pool.query(
        `SELECT FROM ${escapeIdentifier(name)} AS t
         WHERE EXISTS (SELECT FROM unnest($1::text[]) AS wanted WHERE position(wanted IN t::text) > 0) LIMIT 1`,
        [texts],
      );
      if (rowCount) found.push(name);
    }
    return found;
  }
  /** Keys with their values. */
  async function inRedis(): Promise<string[]> {
    const found: string[] = [];
    for await (const page of redis.scanStream({ match: 'astra:*', count: 1_000 })) {
      // A scan stream gives pages of keys.
      for (const key of page as string[]) found.push(`redis ${key} ${await valueOf(key)}`);
    }
    return found;
  }
  async function valueOf(key: string): Promise<string> {
    const type = await redis.type(key);
    if (type === 'string') return String(await redis.getBuffer(key));
    if (type === 'hash') return JSON.stringify(await redis.hgetall(key));
    if (type === 'stream') return JSON.stringify(await redis.xrange(key, '-', '+'));
    if (type === 'set') return JSON.stringify(await redis.smembers(key));
    if (type === 'zset') return JSON.stringify(await redis.zrange(key, '0', '-1'));
    if (type === 'list') return JSON.stringify(await redis.lrange(key, 0, -1));
    return type;
  }
  async function inS3(): Promise<string[]> {
    const found: string[] = [];
    for (let token: string | undefined, more = true; more;) {
      const page = await s3.send(
        new ListObjectsV2Command({ Bucket: config.ASTRA_S3_BUCKET, ContinuationToken: token }),
      );
      found.push(...(page.Contents ?? []).map(({ Key }) => `s3 ${Key ?? ''}`));
      token = page.NextContinuationToken;
      more = token !== undefined;
    }
    return found;
  }
  async function inTemporal(): Promise<string[]> {
    const found: string[] = [];
    for await (const { workflowId, typedSearchAttributes } of temporal.workflow.list()) {
      found.push(`temporal ${workflowId} ${JSON.stringify(typedSearchAttributes.getAll())}`);
    }
    for await (const { scheduleId } of temporal.schedule.list()) {
      const description = await temporal.schedule
        .getHandle(scheduleId)
        .describe()
        .catch(() => null);
      found.push(`schedule ${scheduleId} ${JSON.stringify(description?.action.args)}`);
    }
    return found;
  }
  async function inMemcached(): Promise<string[]> {
    const found: string[] = [];
    for (const server of config.MEMCACHED_SERVERS) {
      for await (const key of memcachedKeys(server, '')) found.push(`memcached ${key}`);
    }
    return found;
  }

  return {
    async find(...texts) {
      const named = [await inRedis(), await inS3(), await inTemporal(), await inMemcached()].flat();
      return [...(await inPostgres(texts)), ...named.filter((name) => texts.some((text) => name.includes(text)))];
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      s3.destroy();
      await connection.close();
      await pool.end();
    },
  };
}
