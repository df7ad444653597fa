import { createHash } from 'node:crypto';
import { bucketOf, type Limited } from '../../domain/limit-key.ts';
import type { Claim } from '../../stores/postgres/limit-places.ts';
import type { Limit } from '../../stores/postgres/limits.ts';

const longestBucket = 200;

/** Keys are made of what users send: Postgres takes no U+0000 and no lone surrogate, and an index no long text. */
function asStored(bucket: string): string {
  if (bucket.length <= longestBucket && bucket.isWellFormed() && !bucket.includes('\0')) return bucket;
  return `sha256:${createHash('sha256').update(bucket, 'utf16le').digest('hex')}`;
}

/** The places that a goal or a call needs: one at each limit that applies to it. */
export const claimsOf = (limits: readonly Limit[], limited: Limited): readonly Claim[] =>
  limits.flatMap((limit) => {
    const bucket = bucketOf(limit, limited);
    return bucket === null ? [] : [{ limit, bucket: asStored(bucket) }];
  });
