import { execFileSync, spawnSync } from 'node:child_process';

export interface User {
  uid: number;
  gid: number;
}

/** The user for a server that refuses to run as root; null when this process is not root and needs none. */
export function unprivilegedUser(): User | null {
  if (process.getuid?.() !== 0) return null;
  for (const name of ['postgres', 'nobody']) {
    try {
      return { uid: idOf('-u', name), gid: idOf('-g', name) };
    } catch {
      // The next name.
    }
  }
  throw new Error("Postgres refuses to run as root, and this machine has no user 'postgres' or 'nobody' to run it as.");
}

function idOf(flag: '-u' | '-g', name: string): number {
  return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
}

/** Whether the user can enter the directory: each of its parents must let them through, and /root, for one, does not. */
export function canEnter(directory: string, user: User | null): boolean {
  const test = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', directory], { cwd: '/', stdio: 'ignore', ...user });
  return test.status === 0;
}
