import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { GoalId } from '../domain/schemas/common.ts';
import type { HotView } from '../stores/cache/view-memory.ts';
import { bearerToken } from './auth/bearer-token.ts';
import type { VerifiedToken } from './auth/token-verifier.ts';
import { mayUse, type Principal } from './context.ts';
import type { ApiDeps } from './deps.ts';
import type { ReadQuota } from './read-quota.ts';
import type { RequestCounter } from './request-counter.ts';
import { etagOf, isKnown, viewCaching } from './view-response.ts';

/** A request as Node has it: a web `Request` would be made for its headers alone. */
export interface HotRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly socket: object;
}
type Answer = Response | Promise<Response>;
/** @param rest what answers all other requests */
export type HotReads = (request: HotRequest, rest: () => Answer) => Answer;

export interface HotReadsDeps extends Pick<ApiDeps, 'tokens' | 'hotViews'> {
  readonly quota: ReadQuota;
  readonly requests: RequestCounter;
}

const goalPath = /^\/v1\/goals\/(gol_[0-9A-Za-z]{16,40})$/;
const route = '/v1/goals/:goalId';

/**
 * `GET /v1/goals/{goalId}` as nearly all of them are: without parameters, with a token that was verified before, of a goal
 * that is in memory or in Redis. Routing, validation and middleware cost several times what such a read does, so it is
 * answered ahead of them, by the same rules. It refuses nothing: what is not so goes to the routes, which know why.
 */
export function createHotReads({ tokens, hotViews, quota, requests }: HotReadsDeps): HotReads {
  const countOk = requests.series({ method: 'GET', route, status: 200 });
  const countNotModified = requests.series({ method: 'GET', route, status: 304 });
  const createRequestId = createRequestIds();
  // A client sends the same token on a connection, and to compare it costs a tenth of hashing it.
  const callers = new WeakMap<object, { readonly authorization: string | undefined; readonly token: VerifiedToken }>();

  function callerOf({ headers: { authorization }, socket }: HotRequest): Principal | undefined {
    const known = callers.get(socket);
    if (known && known.authorization === authorization && tokens.isGood(known.token)) return known.token.principal;
    const text = bearerToken(authorization);
    const token = text === undefined ? undefined : tokens.recall(text);
    if (token) callers.set(socket, { authorization, token });
    return token?.principal;
  }

  return (request, rest) => {
    const begunAtMs = performance.now();
    // The pattern is that of a goal's id.
    const goalId = goalPath.exec(request.url ?? '')?.[1] as GoalId | undefined;
    if (goalId === undefined || request.method !== 'GET') return rest();
    const principal = callerOf(request);
    if (!principal || !mayUse(principal, 'goals:read')) return rest();
    const { tenant } = principal;
    if (quota.take(tenant) > 0) return rest();

    const { headers } = request;
    const answer = ({ seq, body }: HotView): Response => {
      const etag = etagOf(seq);
      const common = { etag, 'cache-control': viewCaching, 'x-request-id': createRequestId(headers['x-request-id']) };
      const isUnchanged = isKnown(headers['if-none-match'], etag);
      (isUnchanged ? countNotModified : countOk)(begunAtMs);
      if (isUnchanged) return new Response(null, { status: 304, headers: common });
      return new Response(body, { status: 200, headers: { ...common, 'content-type': 'application/json' } });
    };
    const goal = { tenant, goalId };
    const known = hotViews.recall(goal);
    if (known) return answer(known);
    return hotViews.read(goal).then((view) => {
      if (view) return answer(view);
      quota.giveBack(tenant);
      return rest();
    });
  };
}

/** The client's own, by Hono's rule for them, else one that nobody else has: a random UUID for each would cost more. */
function createRequestIds(): (own: string | readonly string[] | undefined) => string {
  const prefix = randomUUID();
  let count = 0;
  return (own) => {
    if (typeof own === 'string' && own.length <= 255 && /^[\w\-=]+$/.test(own)) return own;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
