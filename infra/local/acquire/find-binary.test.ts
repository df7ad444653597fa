import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { binaryCatalog } from './binary-catalog.ts';
import { atLeast, findOnPath, namedByEnvironment } from './find-binary.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-find-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function program(name: string, output: string): Promise<string> {
  const file = join(directory, name);
  await writeFile(file, `#!/bin/sh\necho '${output}'\n`);
  await chmod(file, 0o755);
  return file;
}

describe('findOnPath', () => {
  it('takes the first program that is new enough', async () => {
    const file = await program('redis-server', 'Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64');
    const found = await findOnPath(binaryCatalog.redis, { PATH: ['/nonexistent', directory].join(delimiter) });
    expect(found).toEqual({ path: file, version: '7.0.15', source: file });
  });

  it('passes over one that is too old', async () => {
    await program('redis-server', 'Redis server v=5.0.1 sha=00000000:0');
    expect(await findOnPath(binaryCatalog.redis, { PATH: directory })).toBeNull();
  });

  it('reads the version among other numbers', async () => {
    await program('weed', 'version 8000GB 4.48 pypi linux amd64');
    expect((await findOnPath(binaryCatalog.s3, { PATH: directory }))?.version).toBe('4.48');
  });
});

describe('namedByEnvironment', () => {
  it('uses the path that the environment gives', async () => {
    const file = await program('my-memcached', 'memcached 1.6.18');
    const found = await namedByEnvironment(binaryCatalog.memcached, { ASTRA_MEMCACHED_BIN: file });
    expect(found).toMatchObject({ path: file, version: '1.6.18' });
  });

  it('refuses one that is too old or does not run, instead of taking another', async () => {
    const old = await program('my-bwrap', 'bubblewrap 0.3.1');
    const { bwrap } = binaryCatalog;
    await expect(namedByEnvironment(bwrap, { ASTRA_BWRAP_BIN: old })).rejects.toThrow('0.5 or later is needed');
    await expect(namedByEnvironment(bwrap, { ASTRA_BWRAP_BIN: '/nowhere' })).rejects.toThrow(
      'ASTRA_BWRAP_BIN=/nowhere',
    );
  });
});

it.each([
  ['1.10.0', '1.9', true],
  ['18.1', '18', true],
  ['4.39', '4.40', false],
  ['6.2', '6.2.0', true],
])('atLeast(%s, %s) is %s', (version, minimum, expected) => {
  expect(atLeast(version, minimum)).toBe(expected);
});
