import type { ErrorCode, Fault } from '../domain/errors.ts';
import { AstraApiError } from './api-error.ts';

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** For answers without a problem document, such as a proxy's error page. */
function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'ASTRA_UNAUTHENTICATED';
  if (status === 403) return 'ASTRA_FORBIDDEN';
  if (status === 404) return 'ASTRA_NOT_FOUND';
  if (status === 413) return 'ASTRA_BODY_TOO_LARGE';
  if (status === 429) return 'ASTRA_RATE_LIMITED';
  return status >= 502 && status <= 504 ? 'ASTRA_UNAVAILABLE' : 'ASTRA_INTERNAL';
}

/** `Retry-After` (RFC 9110 §10.2.3): seconds, or an HTTP date. */
function retryAfterSeconds(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, (at - Date.now()) / 1000);
}

function faultsOf(errors: unknown): Fault[] {
  if (!Array.isArray(errors)) return [];
  return errors.filter(isRecord).map(({ pointer, message, detail }) => ({
    pointer: text(pointer) ?? '',
    message: text(message) ?? text(detail) ?? '',
  }));
}

/** The typed error of a problem document (RFC 9457). @param about what the answer says besides */
export function errorOfProblem(
  problem: Readonly<Record<string, unknown>>,
  about: {
    readonly status: number;
    readonly unexplained: string;
    readonly retryAfterSeconds?: number | undefined;
    readonly requestId?: string | undefined;
  },
): AstraApiError {
  const { status, retryAfterSeconds } = about;
  const code = text(problem.code);
  const retryable = status === 429 || (status >= 502 && status <= 504);
  return new AstraApiError(
    // A server newer than this client may know more codes: they pass through.
    code?.startsWith('ASTRA_') ? (code as ErrorCode) : codeOfStatus(status),
    text(problem.detail) ?? text(problem.title) ?? about.unexplained,
    {
      status,
      faults: faultsOf(problem.errors),
      retryable: typeof problem.retryable === 'boolean' ? problem.retryable : retryable,
      retryAfterSeconds,
      requestId: text(problem.requestId) ?? about.requestId,
    },
  );
}

/** The typed error of an answer that is not a success; reads problem documents (RFC 9457) and survives anything else. */
export async function errorOfResponse(response: Response, url: URL): Promise<AstraApiError> {
  const { status, headers } = response;
  const body = await response.text().catch(() => '');
  let problem: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (isRecord(parsed)) problem = parsed;
  } catch {
    // Not JSON: the status says all there is.
  }
  return errorOfProblem(problem, {
    status,
    retryAfterSeconds: retryAfterSeconds(headers),
    requestId: headers.get('x-request-id') ?? undefined,
    unexplained: `${url.origin} answered ${status} without an explanation`,
  });
}
