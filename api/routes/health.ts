import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { checkHealth, type DependencyHealth } from '../../platform/health.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonAnswer } from '../openapi/describe.ts';

const live = createRoute({
  method: 'get',
  path: '/livez',
  operationId: 'getLiveness',
  tags: ['health'],
  summary: 'Does the process answer?',
  responses: {
    200: { description: 'It does', content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } } },
  },
});

const ready = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  tags: ['health'],
  summary: 'Can the API serve, and how is each dependency?',
  description:
    'Ready when Temporal answers and Redis or Postgres can serve reads; `degraded` when something else is down.',
  responses: { 200: jsonAnswer('Ready or degraded', 'Readiness'), 503: jsonAnswer('Not ready', 'Readiness') },
});

type Health = Readonly<Record<string, DependencyHealth>>;
const isUp = (health: Health, name: string): boolean => health[name]?.state === 'up';
export const canServe = (health: Health): boolean =>
  isUp(health, 'temporal') && (isUp(health, 'redis') || isUp(health, 'postgres'));

export function mountHealth(app: OpenAPIHono<ApiEnv>, { checks }: Pick<ApiDeps, 'checks'>): void {
  app.openapi(live, (c) => c.json({ status: 'ok' as const }, 200));

  app.openapi(ready, async (c) => {
    const dependencies = await checkHealth(checks);
    if (!canServe(dependencies)) return c.json({ status: 'not ready', dependencies }, 503);
    const allUp = Object.values(dependencies).every(({ state }) => state === 'up');
    return c.json({ status: allUp ? 'ready' : 'degraded', dependencies }, 200);
  });
}
