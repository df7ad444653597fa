/**
 * An answer that takes text from its source as its reader takes it, and ends with its reader, at the latest when
 * `shutdown` is aborted.
 */
export function streamResponse(
  frames: (signal: AbortSignal) => AsyncGenerator<string, void, undefined>,
  options: { readonly shutdown: AbortSignal; readonly contentType: string },
): Response {
  const gone = new AbortController();
  const source = frames(AbortSignal.any([gone.signal, options.shutdown]));
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await source.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel() {
        // First the signal: a generator that waits does not see `return` before its wait is over.
        gone.abort();
        void source.return();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      'content-type': options.contentType,
      'cache-control': 'no-store',
      // Proxies that buffer would hold events back.
      'x-accel-buffering': 'no',
    },
  });
}
