import { createMiddleware } from 'hono/factory';
import { bodyLimit } from 'hono/body-limit';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { ApiEnv } from '../context.ts';

/**
 * Refuses bodies beyond `limits.goalBodyBytes`. A length that is said is believed, as the HTTP parser reads no more than
 * that. Looking at a request's body at all makes a web stream of it, a tenth of what a submission costs, so only a
 * body of unknown length is looked at.
 * @throws ASTRA_BODY_TOO_LARGE
 */
export function limitBody() {
  const count = bodyLimit({ maxSize: limits.goalBodyBytes, onError: refuseBody });
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const length = c.req.header('content-length');
    if (length === undefined || c.req.header('transfer-encoding') !== undefined) return count(c, next);
    if (Number(length) > limits.goalBodyBytes) refuseBody();
    await next();
  });
}

function refuseBody(): never {
  throw new AstraError(
    'ASTRA_BODY_TOO_LARGE',
    `A body has at most ${limits.goalBodyBytes} bytes. Give larger inputs as artifacts or by URL.`,
  );
}
