import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { requireChecksum } from './checksum.ts';

const sha256OfAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-checksum-'));
});
afterEach(() => rm(directory, { recursive: true }));

it('accepts the file that was pinned', async () => {
  const file = join(directory, 'a.whl');
  await writeFile(file, 'abc');
  await requireChecksum(file, sha256OfAbc);
  expect(existsSync(file)).toBe(true);
});

it('refuses and deletes a file that differs by one byte', async () => {
  const file = join(directory, 'a.whl');
  await writeFile(file, 'abd');
  await expect(requireChecksum(file, sha256OfAbc)).rejects.toThrow(/SHA-256 .* is pinned/);
  expect(existsSync(file)).toBe(false);
});
