import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { processIdentity } from './process-identity.ts';

export interface LauncherLock {
  release(): void;
}

/** The pid of the launcher that holds the lock, or null when none runs (a crashed one's file does not count). */
export function runningLauncher(path: string): number | null {
  const [pid, identity] = readLines(path);
  if (pid === undefined || identity === undefined) return null;
  return processIdentity(Number(pid)) === identity ? Number(pid) : null;
}

/** Takes the lock, or returns null when another launcher holds it. */
export function acquireLauncherLock(path: string): LauncherLock | null {
  const own = `${process.pid}\n${processIdentity(process.pid) ?? ''}\n`;
  const candidate = `${path}.${process.pid}`;
  writeFileSync(candidate, own, { mode: 0o600 });
  try {
    // A link, unlike a write, either makes the whole file or fails: two launchers cannot both win.
    if (!tryLink(candidate, path)) {
      if (runningLauncher(path) !== null || !setAside(path) || !tryLink(candidate, path)) return null;
    }
  } finally {
    rmSync(candidate, { force: true });
  }
  return {
    release() {
      if (Number(readLines(path)[0]) === process.pid) rmSync(path, { force: true });
    },
  };
}

/** Clears a crashed launcher's file; false when a third launcher took the lock in between, whose file is put back. */
function setAside(path: string): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    if (runningLauncher(aside) === null) return true;
    linkSync(aside, path);
    return false;
  } catch {
    // Another one has just cleared it: the link decides.
    return true;
  } finally {
    rmSync(aside, { force: true });
  }
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    return [];
  }
}
