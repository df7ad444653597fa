import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { loadConfig } from '../../../platform/config.ts';
import { createRedis } from '../../../stores/redis.ts';
import { bareKey } from './bare-key.ts';

/**
 * A peer on the same server library that does not ask who it is: `redis` answers with one GET, `constant` with a text
 * that it read when it started, of the goal of the second argument.
 */
const [kind, goalId = ''] = process.argv.slice(2);
const headers = { 'content-type': 'application/json' };
const redis = createRedis(loadConfig(process.env));
await once(redis, 'ready');
const read = async (id: string): Promise<string> => (await redis.get(bareKey(id))) ?? '';
const text = await read(goalId);

const app = new Hono();
if (kind === 'constant') app.get('/v1/goals/:goalId', (c) => c.body(text, 200, headers));
else app.get('/v1/goals/:goalId', async (c) => c.body(await read(c.req.param('goalId')), 200, headers));

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  // As the API logs it.
  console.error(JSON.stringify({ msg: 'listening', url: `http://127.0.0.1:${port}` }));
});
