import { createHash } from 'node:crypto';
import { bucketOf, type Limited } from '../../domain/limit-key.ts';
import type { Claim } from '../../stores/postgres/limit-places.ts';
import type { Limit } from '../../stores/postgres/limits.ts';

/**
 * Values of keys are made of what users send, of any length, in characters that Postgres may not take; and their buckets
 * outlive the goals. So their hash is what is stored.
 */
const asStored = (value: string): string => createHash('sha256').update(value, 'utf16le').digest('base64url');

/** The places that a goal or a call needs: one at each limit that applies to it. */
export const claimsOf = (limits: readonly Limit[], limited: Limited): readonly Claim[] =>
  limits.flatMap((limit) => {
    const bucket = bucketOf(limit, limited);
    return bucket === null ? [] : [{ limit, bucket: asStored(bucket) }];
  });
