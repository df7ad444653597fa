import { createMiddleware } from 'hono/factory';
import { AstraError } from '../../domain/errors.ts';
import { bearerToken } from '../auth/bearer-token.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { ApiEnv } from '../context.ts';

/** @throws ASTRA_UNAUTHENTICATED */
export const authenticate = (tokens: Pick<TokenVerifier, 'verify'>) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const token = bearerToken(c.req.header('authorization'));
    if (token === undefined) {
      throw new AstraError('ASTRA_UNAUTHENTICATED', 'Send a token: `Authorization: Bearer <JWT>`.');
    }
    c.set('principal', await tokens.verify(token));
    await next();
  });
