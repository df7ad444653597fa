import { isAstraError, type AstraApiError, type AstraErrorCode } from '@astra/sdk';
import { exitCodes, type ExitCode } from './exit-codes.ts';
import { clean } from './text/clean.ts';
import type { Paint } from './text/paint.ts';
import { UsageError } from './usage-error.ts';

const nextSteps: Partial<Record<AstraErrorCode, string>> = {
  ASTRA_CONNECTION:
    'Start Astra here with `npm start`, or give the URL of a running one with --api-url or ASTRA_API_URL.',
  ASTRA_UNAUTHENTICATED:
    'Give a token with --token or ASTRA_TOKEN; where the local stack runs, its own is found by itself.',
  ASTRA_FORBIDDEN: '`npx astra me` shows what your token allows.',
  ASTRA_RATE_LIMITED: 'Wait a moment, then try again.',
  ASTRA_OVERLOADED: 'Try again after the time below; what was accepted goes on.',
  ASTRA_UNAVAILABLE: 'Try again soon; GET /readyz of the API says what is away.',
  ASTRA_IDEMPOTENCY_CONFLICT: 'Use another --idempotency-key for another goal.',
};

export interface ErrorReport {
  readonly exitCode: ExitCode;
  readonly lines: readonly string[];
}

function reportApiError(error: AstraApiError, paint: Paint): ErrorReport {
  const { code, faults, requestId, retryAfterSeconds } = error;
  const next = nextSteps[code];
  const lines = [
    `${paint('red', 'error:')} ${code} ${clean(error.message)}`,
    ...faults.map(({ pointer, message }) => `  ${clean(pointer) || '/'}  ${clean(message)}`),
    ...(next === undefined ? [] : [`next: ${next}`]),
    ...(retryAfterSeconds === undefined ? [] : [`retry after: ${Math.ceil(retryAfterSeconds)} s`]),
    ...(requestId === undefined ? [] : [paint('dim', `request: ${clean(requestId)}`)]),
  ];
  if (code === 'ASTRA_TIMEOUT' && error.status === 202) return { exitCode: exitCodes.timedOut, lines };
  const unreachable = code === 'ASTRA_CONNECTION' || code === 'ASTRA_TIMEOUT';
  return { exitCode: unreachable ? exitCodes.unreachable : exitCodes.failed, lines };
}

/** Any failure as its exit code and what to print; never a stack trace. */
export function reportError(error: unknown, options: { readonly json: boolean; readonly paint: Paint }): ErrorReport {
  const { json, paint } = options;
  if (isAstraError(error)) {
    const report = reportApiError(error, paint);
    if (!json) return report;
    const { code, message, status, faults, retryable, retryAfterSeconds, requestId } = error;
    const body = { error: { code, message, status, errors: faults, retryable, retryAfterSeconds, requestId } };
    return { ...report, lines: [JSON.stringify(body)] };
  }
  const message = error instanceof Error ? error.message : String(error);
  // createAstra refuses an --api-url that is none with a TypeError.
  const usage = error instanceof UsageError || (error instanceof TypeError && message.startsWith('apiUrl'));
  return {
    exitCode: usage ? exitCodes.usage : exitCodes.failed,
    lines: [json ? JSON.stringify({ error: { message } }) : `${paint('red', 'error:')} ${clean(message)}`],
  };
}
