import type { ErrorCode, Fault } from '../domain/errors.ts';

/** The server's codes, and two of the client: nothing answered, or not in time. */
export type AstraErrorCode = ErrorCode | 'ASTRA_CONNECTION' | 'ASTRA_TIMEOUT';

interface AstraApiErrorDetails {
  /** HTTP status; 0 when there was no answer. */
  readonly status?: number;
  readonly faults?: readonly Fault[];
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number | undefined;
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Every failure of a call, except an abort, which rejects with the signal's own reason. */
export class AstraApiError extends Error {
  override readonly name = 'AstraApiError';
  readonly code: AstraErrorCode;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What is wrong where in the body: JSON pointers (RFC 6901) with a message each. */
  readonly faults: readonly Fault[];
  /** May the same call succeed later, unchanged? */
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;

  constructor(code: AstraErrorCode, message: string, details: AstraApiErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.status = details.status ?? 0;
    this.faults = details.faults ?? [];
    this.retryable = details.retryable ?? false;
    this.retryAfterSeconds = details.retryAfterSeconds;
    this.requestId = details.requestId;
  }
}

/** Is it a failure of Astra, with this code if one is given? Narrows `error.code`. */
export function isAstraError<C extends AstraErrorCode = AstraErrorCode>(
  error: unknown,
  code?: C,
): error is AstraApiError & { readonly code: C } {
  return error instanceof AstraApiError && (code === undefined || error.code === code);
}
