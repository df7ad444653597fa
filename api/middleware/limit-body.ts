import { createMiddleware } from 'hono/factory';
import { bodyLimit } from 'hono/body-limit';
import { AstraError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { ApiEnv } from '../context.ts';

/** Calls that take more than one goal. */
const larger: Readonly<Record<string, number>> = { '/v1/goals:batch': limits.batchBytes };

/**
 * Refuses bodies beyond `limits.goalBodyBytes`, or what the call is allowed. A length that is said is believed, as the
 * HTTP parser reads no more than that. Looking at a request's body at all makes a web stream of it, a tenth of what a
 * submission costs, so only a body of unknown length is looked at.
 * @throws ASTRA_BODY_TOO_LARGE
 */
export function limitBody() {
  return createMiddleware<ApiEnv>(async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const maxSize = larger[c.req.path] ?? limits.goalBodyBytes;
    const length = c.req.header('content-length');
    if (length === undefined || c.req.header('transfer-encoding') !== undefined) {
      return bodyLimit({ maxSize, onError: () => refuseBody(maxSize) })(c, next);
    }
    if (Number(length) > maxSize) refuseBody(maxSize);
    await next();
  });
}

function refuseBody(maxBytes: number): never {
  throw new AstraError(
    'ASTRA_BODY_TOO_LARGE',
    `The body has at most ${maxBytes} bytes. Give larger inputs as artifacts or by URL.`,
  );
}
