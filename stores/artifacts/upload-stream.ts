import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { orUnavailable } from './s3-errors.ts';

/** Servers take parts from 5 MiB, and 10,000 of them. */
const partBytes = 16 * 1024 * 1024;

interface Target {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
}

/**
 * Writes an object of unknown size, with one part of it in memory. It is there whole or, on an error, not at all.
 * @returns its size in bytes. @throws ASTRA_UNAVAILABLE, and what `chunks` throws
 */
export async function uploadStream(s3: S3Client, target: Target, chunks: AsyncIterable<string>): Promise<number> {
  const parts = inParts(chunks);
  const first = await parts.next();
  const body = first.value ?? Buffer.alloc(0);
  const second = await parts.next();
  if (second.done) {
    await orUnavailable(s3.send(new PutObjectCommand({ ...target, Body: body, ContentLength: body.byteLength })));
    return body.byteLength;
  }
  return uploadParts(s3, target, [body, second.value, parts]);
}

async function uploadParts(
  s3: S3Client,
  { ContentType, ...place }: Target,
  [first, second, rest]: readonly [Buffer, Buffer, AsyncIterable<Buffer>],
): Promise<number> {
  const created = await orUnavailable(s3.send(new CreateMultipartUploadCommand({ ...place, ContentType })));
  const upload = { ...place, UploadId: created.UploadId };
  const done: { readonly ETag: string | undefined; readonly PartNumber: number }[] = [];
  let sizeBytes = 0;
  async function send(body: Buffer): Promise<void> {
    const part = { ...upload, PartNumber: done.length + 1, Body: body, ContentLength: body.byteLength };
    const { ETag } = await orUnavailable(s3.send(new UploadPartCommand(part)));
    done.push({ ETag, PartNumber: part.PartNumber });
    sizeBytes += body.byteLength;
  }
  try {
    await send(first);
    await send(second);
    for await (const part of rest) await send(part);
    await orUnavailable(s3.send(new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts: done } })));
    return sizeBytes;
  } catch (error) {
    // Its parts cost storage; a rule of the bucket removes those of a process that dies here.
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined);
    throw error;
  }
}

async function* inParts(chunks: AsyncIterable<string>): AsyncGenerator<Buffer, undefined, undefined> {
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    waiting.push(bytes);
    waitingBytes += bytes.byteLength;
    if (waitingBytes < partBytes) continue;
    yield Buffer.concat(waiting);
    [waiting, waitingBytes] = [[], 0];
  }
  if (waitingBytes > 0) yield Buffer.concat(waiting);
  return undefined;
}
