import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';

const decoders: Readonly<Record<string, (() => NodeJS.ReadWriteStream & Readable) | undefined>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};
/** To be asked for. Undici has an interceptor for this that is still experimental. */
export const acceptedEncodings = 'gzip, deflate, br';

/** The body as it was before it was compressed; as it is when it was not, or in a way that nobody asked for. */
export function decompress(body: Readable, contentEncoding: string | undefined): Readable {
  const decoder = decoders[contentEncoding?.trim().toLowerCase() ?? ''];
  // A failure of either end destroys the other and comes out of the stream that is read.
  return decoder ? pipeline(body, decoder(), () => undefined) : body;
}
