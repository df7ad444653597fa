import { AstraApiError } from './api-error.ts';

/**
 * The chunks of a body. A broken connection, and one that says nothing for `idleTimeoutMs` (a peer that vanished
 * without closing is seen by nothing else), is ASTRA_CONNECTION. Leaving the loop closes the connection.
 */
export async function* readByteStream(
  body: ReadableStream<Uint8Array>,
  idleTimeoutMs: number,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const watchdog = { fired: false };
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    for (;;) {
      timer = setTimeout(() => {
        watchdog.fired = true;
        void reader.cancel().catch(() => undefined);
      }, idleTimeoutMs);
      const { done, value } = await reader.read();
      clearTimeout(timer);
      if (watchdog.fired)
        throw new AstraApiError('ASTRA_CONNECTION', `The connection was silent for ${idleTimeoutMs / 1000} s`, {
          retryable: true,
        });
      if (done) return;
      yield value;
    }
  } catch (error) {
    if (error instanceof AstraApiError) throw error;
    throw new AstraApiError('ASTRA_CONNECTION', 'The connection broke in the middle of the stream', {
      retryable: true,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    // A body that has failed refuses to be cancelled; there is nothing left to close then.
    await reader.cancel().catch(() => undefined);
  }
}
