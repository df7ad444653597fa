import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { orUnavailable } from './s3-errors.ts';

/** One that is not there counts as removed. @throws ASTRA_UNAVAILABLE */
export async function removeObject(s3: S3Client, bucket: string, key: string): Promise<void> {
  await orUnavailable(s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key })));
}

/** Requests under way. Not every server knows the call that deletes many at once. */
const atOnce = 16;

/**
 * Removes everything below a prefix. @param options.onProgress called between pages; what it throws ends the work
 * @returns how many objects. @throws ASTRA_UNAVAILABLE
 */
export async function removePrefix(
  s3: S3Client,
  bucket: string,
  { prefix, onProgress = () => undefined }: { readonly prefix: string; readonly onProgress?: (() => void) | undefined },
): Promise<number> {
  let removed = 0;
  for (;;) {
    onProgress();
    const page = await orUnavailable(
      s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1_000 })),
    );
    const keys = (page.Contents ?? []).flatMap(({ Key: key }) => (key === undefined ? [] : [key]));
    for (let from = 0; from < keys.length; from += atOnce) {
      await Promise.all(keys.slice(from, from + atOnce).map((key) => removeObject(s3, bucket, key)));
    }
    removed += keys.length;
    if (!page.IsTruncated) return removed;
  }
}
