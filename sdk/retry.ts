import { AstraApiError } from './api-error.ts';

export interface BackOff {
  readonly baseMs: number;
  readonly capMs: number;
}

export const defaultBackOff: BackOff = { baseMs: 200, capMs: 10_000 };

/** A server that asks for more patience than this gets the caller's attention instead of a silent wait. */
const maxRetryAfterSeconds = 60;

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      // The reason belongs to the caller, whatever it is: fetch rejects with it as well.
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, ms);
    if (signal?.aborted) abort();
    else signal?.addEventListener('abort', abort, { once: true });
  });
}

/** May the same request be answered better later? */
export function isTransient(error: unknown): error is AstraApiError {
  if (!(error instanceof AstraApiError)) return false;
  if (error.code === 'ASTRA_CONNECTION' || error.code === 'ASTRA_TIMEOUT') return true;
  return error.status === 429 || (error.status >= 502 && error.status <= 504);
}

/**
 * How long to wait before try number `failures` + 1, or null when waiting would be too long. `Retry-After` counts; else
 * full jitter: uniform in [0, min(cap, base × 2^(failures − 1))] (Brooker, "Exponential Backoff And Jitter", AWS 2015).
 */
export function retryDelayMs(error: AstraApiError | null, failures: number, { baseMs, capMs }: BackOff): number | null {
  const asked = error?.retryAfterSeconds;
  if (asked !== undefined) return asked > maxRetryAfterSeconds ? null : asked * 1000 + Math.random() * baseMs;
  return Math.random() * Math.min(capMs, baseMs * 2 ** (failures - 1));
}
