import { createMiddleware } from 'hono/factory';
import { AstraError } from '../../domain/errors.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { ApiEnv } from '../context.ts';

/** @throws ASTRA_UNAUTHENTICATED */
export const authenticate = (verifyToken: TokenVerifier) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const token = /^Bearer +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (token === undefined) {
      throw new AstraError('ASTRA_UNAUTHENTICATED', 'Send a token: `Authorization: Bearer <JWT>`.');
    }
    c.set('principal', await verifyToken(token));
    await next();
  });
