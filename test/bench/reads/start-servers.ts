import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Redis } from 'ioredis';
import type { Stack } from '../../../infra/local/stack.ts';
import { loadConfig } from '../../../platform/config.ts';
import { createViewCache } from '../../../stores/cache/view-cache.ts';
import { createRedis } from '../../../stores/redis.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { until } from '../../support/until.ts';
import { bareKey } from './bare-key.ts';
import { createHttpLoad, type HttpLoad } from './http-load.ts';
import { cores, startPinned, type PinnedServer } from './pinned-server.ts';
import { seedGoals } from './seed-goals.ts';

const goalCount = 10_000;
const api = ['api/main.ts'] as const;
const bare = 'test/bench/reads/bare-server.ts';

export interface Servers {
  /** Hono with a handler that answers with a constant. */
  readonly constant: PinnedServer;
  /** Hono with a handler that does one GET in Redis. */
  readonly get: PinnedServer;
  /** The API without memory, and as it is. */
  readonly redis: PinnedServer;
  readonly memory: PinnedServer;
  readonly load: HttpLoad;
  readonly answerBytes: number;
  stop(): Promise<void>;
}

/** All four on the server's core, their Redis on the load's; 10,000 goals in it. Only one is asked at a time. */
export async function startServers(): Promise<Servers> {
  // The tenant's quota is not what is measured.
  const stack = await startTestStack({ env: { ...process.env, ASTRA_RATE_LIMIT_PER_SECOND: '10000000' } });
  const redis = createRedis(loadConfig(stack.env));
  const started: PinnedServer[] = [];
  const start = async (command: readonly [string, ...string[]], env = {}): Promise<PinnedServer> => {
    const server = await startPinned(command, { env: { ...stack.env, ...env }, guard: stack.guard });
    started.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((server) => server.stop()));
    redis.disconnect();
    await stack.stop();
  };
  try {
    const goalIds = await seed(redis);
    await pinRedis(redis);
    const withoutMemory = await start(api, { ASTRA_VIEW_MEMORY_MIB: '0' });
    const [first = ''] = goalIds;
    const answer = await readOnce(withoutMemory, first, stack);
    // One after the other: of 10,000 at once the last would wait beyond the time that a command has.
    for (const id of goalIds) await redis.set(bareKey(id), answer);
    const [memory, constant, get] = [
      await start(api),
      await start([bare, 'constant', first]),
      await start([bare, 'get', first]),
    ];
    const pathsFile = join(stack.paths.root, 'paths');
    await writeFile(pathsFile, goalIds.map((id) => `/v1/goals/${id}\n`).join(''));
    const load = await createHttpLoad({ pathsFile, token: stack.connection.token });
    return { constant, get, redis: withoutMemory, memory, load, answerBytes: Buffer.byteLength(answer), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function seed(redis: Redis): Promise<readonly string[]> {
  const viewCache = createViewCache(redis);
  try {
    await until(() => viewCache.trusted, 'the view cache is trusted');
    return await seedGoals(viewCache, goalCount);
  } finally {
    viewCache.close();
  }
}

async function pinRedis(redis: Redis): Promise<void> {
  const pid = /process_id:(\d+)/.exec(await redis.info('server'))?.[1] ?? '';
  await promisify(execFile)('taskset', ['-cp', cores.load, pid]);
}

/** The whole answer, once the API believes Redis. */
async function readOnce({ url }: PinnedServer, goalId: string, { connection }: Stack): Promise<string> {
  const headers = { authorization: `Bearer ${connection.token}` };
  let text = '';
  await until(async () => {
    const response = await fetch(`${url}/v1/goals/${goalId}`, { headers });
    text = await response.text();
    return response.ok;
  }, 'the API reads a goal');
  return text;
}
