import { AstraError } from '../../domain/errors.ts';

/** What an aborted signal means to the task. Whoever aborts may give an `AstraError` as reason: then that is it. */
export function abortError(signal: AbortSignal, options: { readonly cause?: unknown } = {}): AstraError {
  const reason: unknown = signal.reason;
  if (reason instanceof AstraError) return reason;
  if (reason instanceof DOMException && reason.name === 'TimeoutError') {
    const hint = 'The tool did not finish in time; give the task a larger timeoutSeconds or less to do.';
    return new AstraError('ASTRA_TOOL_TIMEOUT', hint, options);
  }
  return new AstraError('ASTRA_CANCELLED', 'The tool was cancelled.', options);
}
