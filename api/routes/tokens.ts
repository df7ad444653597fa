import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { AstraError } from '../../domain/errors.ts';
import { bearerToken } from '../auth/bearer-token.ts';
import type { TokenVerifier, VerifiedToken } from '../auth/token-verifier.ts';
import { readBody, readJson } from '../body.ts';
import { mayUse, type ApiEnv } from '../context.ts';
import type { ApiDeps } from '../deps.ts';
import { answers, jsonBody } from '../openapi/describe.ts';
import { noQuery } from '../params.ts';
import { tokenRevocationSchema } from '../schemas.ts';

const revoke = createRoute({
  method: 'post',
  path: '/v1/tokens:revoke',
  operationId: 'revokeToken',
  tags: ['identity'],
  summary: 'Revoke a token before it expires',
  description:
    'Without a body the token that the call is made with. Any token of the same subject may be revoked, and with the scope `admin` any of ' +
    'the tenant. All API processes refuse it within a second. Streams that are open go on to their end.',
  security: [{ bearer: [] }],
  request: { query: noQuery },
  ...jsonBody('TokenRevocation', { required: false }),
  responses: answers({ 204: { description: 'The token is revoked' } }, [
    'ASTRA_BODY_INVALID',
    'ASTRA_BODY_TOO_LARGE',
    'ASTRA_MEDIA_TYPE_UNSUPPORTED',
  ]),
});

export function mountTokens(app: OpenAPIHono<ApiEnv>, deps: Pick<ApiDeps, 'tokens' | 'revokedTokens'>): void {
  app.openapi(revoke, async (c) => {
    const caller = c.get('principal');
    const given = (await readJson(c)) === undefined ? undefined : (await readBody(c, tokenRevocationSchema)).token;
    // It has been verified to come here.
    const own = bearerToken(c.req.header('authorization')) ?? '';
    const token = await readToken(deps.tokens, given ?? own);
    // Another tenant's token is told apart from no token at all by nobody but its tenant.
    if (token.principal.tenant !== caller.tenant) throw notAccepted();
    if (token.principal.subject !== caller.subject && !mayUse(caller, 'admin')) {
      throw new AstraError('ASTRA_FORBIDDEN', 'Another subject’s token is revoked with the scope `admin` only.');
    }
    await deps.revokedTokens.revoke(caller.tenant, token);
    return c.body(null, 204);
  });
}

async function readToken(tokens: Pick<TokenVerifier, 'read'>, token: string): Promise<VerifiedToken> {
  try {
    return await tokens.read(token);
  } catch (error) {
    const isRefused = error instanceof AstraError && error.code === 'ASTRA_UNAUTHENTICATED';
    throw isRefused ? notAccepted(error) : error;
  }
}

const notAccepted = (cause?: unknown): AstraError =>
  new AstraError(
    'ASTRA_BODY_INVALID',
    'The token is not one that the tenant could use, so there is nothing to revoke.',
    {
      faults: [{ pointer: '/token', message: 'is expired, or not a token of this tenant' }],
      cause,
    },
  );
