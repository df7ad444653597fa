import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bundleKey } from './workflow-bundle.ts';

let root: string;
const write = async (path: string, text: string): Promise<void> => {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
};
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'astra-bundle-'));
  await write('workflows/index.ts', 'export {};');
  await write('domain/plan/task.ts', 'export {};');
  await write('package.json', '{}');
  await write('node_modules/.package-lock.json', '{}');
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('the name of a workflow bundle', () => {
  it('stays while nothing changes', async () => {
    expect(await bundleKey(root)).toMatch(/^[\da-f]{32}$/);
    expect(await bundleKey(root)).toBe(await bundleKey(root));
  });

  it.each([
    ['workflows/index.ts', 'export const one = 1;'],
    ['workflows/new.ts', ''],
    ['domain/plan/task.ts', 'export const one = 1;'],
    ['package.json', '{ "type": "module" }'],
    ['node_modules/.package-lock.json', '{ "packages": {} }'],
  ])('changes with %s', async (path, text) => {
    const before = await bundleKey(root);
    await write(path, text);
    expect(await bundleKey(root)).not.toBe(before);
  });

  it('tells text that has moved from one file to the next', async () => {
    await write('workflows/a.ts', 'one;two;');
    await write('workflows/b.ts', '');
    const before = await bundleKey(root);
    await write('workflows/a.ts', 'one;');
    await write('workflows/b.ts', 'two;');
    expect(await bundleKey(root)).not.toBe(before);
  });

  it('is unknown where nobody knows what is installed', async () => {
    await rm(join(root, 'node_modules'), { recursive: true });
    expect(await bundleKey(root)).toBeNull();
  });
});
