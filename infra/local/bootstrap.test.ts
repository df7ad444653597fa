import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packagesOutdated } from './bootstrap.mjs';

let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'astra-bootstrap-'));
  await mkdir(join(project, 'node_modules', '.bin'), { recursive: true });
  await writeFile(join(project, 'node_modules', '.bin', 'node'), '');
});
afterEach(() => rm(project, { recursive: true }));

async function write(lock: object, installed: object): Promise<void> {
  await writeFile(join(project, 'package-lock.json'), JSON.stringify({ packages: lock }));
  await writeFile(join(project, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
}

const packages = { 'node_modules/a': { version: '1.0.0' }, 'node_modules/sdk': { link: true, resolved: 'sdk' } };

it('finds the packages current when they are those of the lock file, other platforms aside', async () => {
  const lock = {
    '': {},
    sdk: { version: '1.0.0' },
    ...packages,
    'node_modules/b-win32': { version: '1.0.0', optional: true },
  };
  await write(lock, packages);
  expect(packagesOutdated(project)).toBeNull();
});

it('finds them outdated when a version differs, one is missing, or none are there', async () => {
  await write({ ...packages, 'node_modules/a': { version: '1.0.1' } }, packages);
  expect(packagesOutdated(project)).toBe('node_modules/a is not 1.0.1');
  await write({ ...packages, 'node_modules/c': { version: '2.0.0' } }, packages);
  expect(packagesOutdated(project)).toBe('node_modules/c is not installed');
  await rm(join(project, 'node_modules'), { recursive: true });
  expect(packagesOutdated(project)).toBe('no packages are installed yet');
});
