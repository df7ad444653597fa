import { createMiddleware } from 'hono/factory';
import { AstraError } from '../../domain/errors.ts';
import { mayUse, type ApiEnv, type Scope } from '../context.ts';

/** @throws ASTRA_FORBIDDEN, naming the scope. */
export const requireScope = (scope: Scope) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    if (!mayUse(c.get('principal'), scope)) {
      throw new AstraError('ASTRA_FORBIDDEN', `The token lacks the scope \`${scope}\`.`);
    }
    await next();
  });
