import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquireLauncherLock, runningLauncher } from './launcher-lock.ts';
import { processIdentity } from './process-identity.ts';
import { resetStack } from './reset.ts';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'astra-lock-'));
  path = join(directory, 'launcher.pid');
});
afterEach(() => rm(directory, { recursive: true }));

it('gives the lock to one launcher at a time', () => {
  const lock = acquireLauncherLock(path);
  expect(lock).not.toBeNull();
  expect(runningLauncher(path)).toBe(process.pid);
  expect(acquireLauncherLock(path)).toBeNull();
  lock?.release();
  expect(runningLauncher(path)).toBeNull();
});

it('takes over from a launcher that crashed', async () => {
  await writeFile(path, '999999999\n1\n');
  expect(runningLauncher(path)).toBeNull();
  expect(acquireLauncherLock(path)).not.toBeNull();
});

it('is not held by another process that got the pid of a launcher that is gone', async () => {
  await writeFile(path, `${process.pid}\nan-earlier-start\n`);
  expect(processIdentity(process.pid)).not.toBeNull();
  expect(runningLauncher(path)).toBeNull();
});

it('refuses to forget the data of a stack that runs', () => {
  const lock = acquireLauncherLock(path);
  expect(() => {
    resetStack(directory);
  }).toThrow(`already running (pid ${process.pid})`);
  lock?.release();
});
