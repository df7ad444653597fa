import { createMiddleware } from 'hono/factory';
import { AstraError } from '../../domain/errors.ts';
import type { ApiEnv, Scope } from '../context.ts';

/** @throws ASTRA_FORBIDDEN, naming the scope. */
export const requireScope = (scope: Scope) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const { scopes } = c.get('principal');
    if (!scopes.has(scope) && !scopes.has('admin')) {
      throw new AstraError('ASTRA_FORBIDDEN', `The token lacks the scope \`${scope}\`.`);
    }
    await next();
  });
