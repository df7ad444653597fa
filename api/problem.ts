import { HTTPException } from 'hono/http-exception';
import { AstraError, errorRegistry, type ErrorCode, type Fault } from '../domain/errors.ts';

/** RFC 9457. `code` is what programs branch on; `errors` point into the body or name the parameter. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly errors: readonly Fault[];
  readonly requestId: string;
}

const defaultRetryAfterSeconds = 1;

/** Any thrown value as a problem. What is not expected is ours: it says nothing of its cause to the outside. */
export function toProblem(
  error: unknown,
  requestId: string,
): { readonly problem: Problem; readonly retryAfterSeconds: number | null } {
  const known = toAstraError(error);
  const { status, title, retryable } = errorRegistry[known.code];
  const problem: Problem = {
    type: `urn:astra:error:${known.code}`,
    title,
    status,
    detail: known.message,
    code: known.code,
    retryable,
    errors: known.faults,
    requestId,
  };
  const isLater = status === 429 || status === 503;
  const retryAfterSeconds = isLater ? Math.ceil(known.retryAfterSeconds ?? defaultRetryAfterSeconds) : null;
  return { problem, retryAfterSeconds };
}

export function toProblemResponse(error: unknown, requestId: string): Response {
  const { problem, retryAfterSeconds } = toProblem(error, requestId);
  const { status } = problem;
  const headers = new Headers({ 'content-type': 'application/problem+json', 'x-request-id': requestId });
  // Not where a signature is what is wrong: no token helps there.
  if (problem.code === 'ASTRA_UNAUTHENTICATED')
    headers.set('www-authenticate', 'Bearer realm="astra", error="invalid_token"');
  // The rest of the body is not read, so the next request must not come on this connection: it would be cut.
  if (status === 413) headers.set('connection', 'close');
  if (retryAfterSeconds !== null) headers.set('retry-after', String(retryAfterSeconds));
  return new Response(JSON.stringify(problem), { status, headers });
}

function toAstraError(error: unknown): AstraError {
  if (error instanceof AstraError) return error;
  if (error instanceof HTTPException && error.status < 500) {
    return new AstraError('ASTRA_PARAMETER_INVALID', error.message || 'The request is not valid.', { cause: error });
  }
  return new AstraError(
    'ASTRA_INTERNAL',
    'Astra failed unexpectedly. Try again; if it stays, tell the operator the request id.',
    { cause: error },
  );
}
