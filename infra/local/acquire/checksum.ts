import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Deletes the file and throws unless it has the SHA-256 that was pinned for it. */
export async function requireChecksum(path: string, sha256: string): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const actual = hash.digest('hex');
  if (actual === sha256) return;
  await rm(path, { force: true });
  throw new Error(
    `${path} has SHA-256 ${actual}, but ${sha256} is pinned: it was not what was asked for, and is deleted.`,
  );
}
