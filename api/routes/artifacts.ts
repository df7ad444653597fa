import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import type { ArtifactRecord } from '../../stores/postgres/artifacts.ts';
import type { ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonAnswer, secured } from '../openapi/describe.ts';
import { artifactParams, noQuery } from '../params.ts';

const get = createRoute({
  method: 'get',
  path: '/v1/artifacts/{artifactId}',
  operationId: 'getArtifact',
  tags: ['artifacts'],
  summary: 'Read what is known of an artifact',
  ...secured('goals:read'),
  request: { params: artifactParams, query: noQuery },
  responses: answers({ 200: jsonAnswer('The artifact', 'ArtifactRecord') }, ['ASTRA_NOT_FOUND']),
});

const content = createRoute({
  method: 'get',
  path: '/v1/artifacts/{artifactId}/content',
  operationId: 'downloadArtifact',
  tags: ['artifacts'],
  summary: 'Download an artifact',
  description: 'Follow the redirect without the token: the address is signed and works for a short time.',
  ...secured('goals:read'),
  request: { params: artifactParams, query: noQuery },
  responses: answers(
    {
      302: {
        description: 'Where the bytes are',
        headers: { Location: { description: 'Signed URL', schema: { type: 'string' } } },
      },
    },
    ['ASTRA_NOT_FOUND'],
  ),
});

/** Long enough for a slow client to begin; a link that leaks is soon of no use. */
const linkSeconds = 300;

export function mountArtifacts(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'artifactList' | 'artifactStore'>): void {
  const { artifactList, artifactStore } = deps;

  async function readArtifact(tenant: string, artifactId: string): Promise<ArtifactRecord> {
    const artifact = await artifactList.get(tenant, artifactId);
    if (!artifact) throw new AstraError('ASTRA_NOT_FOUND', `There is no artifact ${artifactId}.`);
    return artifact;
  }

  app.openapi(get, async (c) =>
    c.json(await readArtifact(c.get('principal').tenant, c.req.valid('param').artifactId), 200),
  );

  app.openapi(content, async (c) => {
    const { tenant } = c.get('principal');
    const artifact = await readArtifact(tenant, c.req.valid('param').artifactId);
    c.header('cache-control', 'no-store');
    return c.redirect(await artifactStore.presign(tenant, artifact, { expiresSeconds: linkSeconds }), 302);
  });
}
