import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { AstraError } from '../domain/errors.ts';
import type { Config } from '../platform/config.ts';

/**
 * A connection to Redis that never makes anyone wait: a command fails at once while the connection is down and after
 * 250 ms when the server does not answer, and none is sent twice. It reconnects by itself, at most every second.
 */
export function createRedis(
  config: Pick<Config, 'REDIS_URL'>,
  options: { readonly logger?: Pick<Logger, 'info' | 'warn'> } = {},
): Redis {
  const redis = new Redis(config.REDIS_URL.reveal(), {
    commandTimeout: 250,
    connectTimeout: 2_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(50 * 2 ** times, 1_000),
    connectionName: 'astra',
  });
  // ioredis emits one error for each attempt to reconnect: the outage is logged, not the attempts.
  let away = false;
  redis.on('error', (error) => {
    if (!away) options.logger?.warn({ err: error }, 'Redis is away; reads fall through to Postgres');
    away = true;
  });
  redis.on('ready', () => {
    if (away) options.logger?.info('Redis is back');
    away = false;
  });
  return redis;
}

/** For /readyz. @throws ASTRA_UNAVAILABLE */
export async function checkRedis(redis: Redis): Promise<void> {
  try {
    await redis.ping();
  } catch (cause) {
    const message = 'Redis does not answer. Reads fall through to Postgres until it is back.';
    throw new AstraError('ASTRA_UNAVAILABLE', message, { cause });
  }
}
