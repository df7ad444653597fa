import { createRoute, z, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, secured } from '../openapi/describe.ts';
import { goalParams, noQuery, pageQuery } from '../params.ts';

const list = createRoute({
  method: 'get',
  path: '/v1/archive',
  operationId: 'listArchive',
  tags: ['retention'],
  summary: 'List archived goals, latest first',
  ...secured('goals:read'),
  request: { query: z.strictObject(pageQuery) },
  responses: answers({ 200: jsonAnswer('A page of archived goals', 'ArchivedGoalList') }),
});

const get = createRoute({
  method: 'get',
  path: '/v1/archive/{goalId}',
  operationId: 'getArchivedGoal',
  tags: ['retention'],
  summary: 'Find an archived goal’s record and artifacts',
  description:
    'Fetch the addresses without the token: they are signed and work for five minutes. The record is NDJSON.',
  ...secured('goals:read'),
  request: { params: goalParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('What there is, and where', 'ArchiveDownload') }, ['ASTRA_NOT_FOUND']),
});

/** As for artifacts: long enough for a slow client to begin. */
const expiresSeconds = 300;

export function mountArchive(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'archivedGoals' | 'archive'>): void {
  const { archivedGoals, archive } = deps;

  app.openapi(list, async (c) =>
    c.json(await archivedGoals.list(c.get('principal').tenant, c.req.valid('query')), 200),
  );

  app.openapi(get, async (c) => {
    const goal = { tenant: c.get('principal').tenant, goalId: c.req.valid('param').goalId };
    const archived = await archivedGoals.get(goal.tenant, goal.goalId);
    if (!archived) throw new AstraError('ASTRA_NOT_FOUND', `The goal ${goal.goalId} is not in the archive.`);
    const artifacts = await Promise.all(
      archived.artifacts.map(async (artifact) => ({
        ...artifact,
        url: await archive.presignArtifact(goal, artifact, { expiresSeconds }),
      })),
    );
    c.header('cache-control', 'no-store');
    return c.json({ ...archived, artifacts, url: await archive.presignRecord(goal, { expiresSeconds }) }, 200);
  });
}
