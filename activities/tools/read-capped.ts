export interface CappedBytes {
  readonly bytes: Uint8Array;
  readonly truncated: boolean;
}

/** The first `maxBytes` of a stream. Leaving the loop destroys the stream, so the rest is neither read nor kept. */
export async function readCapped(stream: AsyncIterable<Uint8Array>, maxBytes: number): Promise<CappedBytes> {
  const chunks: Uint8Array[] = [];
  let room = maxBytes;
  let truncated = false;
  for await (const chunk of stream) {
    chunks.push(chunk.subarray(0, room));
    truncated = chunk.byteLength > room;
    room -= Math.min(room, chunk.byteLength);
    if (truncated) break;
  }
  return { bytes: Buffer.concat(chunks), truncated };
}
