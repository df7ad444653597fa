import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Command } from './component.ts';
import type { Watchdog } from './watchdog.ts';

// The shell waits for a line on descriptor 3 and only then becomes the program (same pid). The line is sent when the guard
// knows the pid, so that a launcher killed between the two leaves no process behind: the shell reads end of file and goes.
const gate = 'read -r go <&3 || exit 1; exec 3<&-; exec "$@"';

export interface GuardedProcess {
  child: ChildProcess;
  pid: number;
}

/** Starts a program in a process group of its own that ends, at the latest, when the launcher is gone. */
export async function spawnGuarded(
  command: Command,
  watchdog: Watchdog,
  options: { output: number | 'inherit'; stop: { signal: NodeJS.Signals; graceMs: number } },
): Promise<GuardedProcess> {
  const child = spawn('/bin/sh', ['-c', gate, 'sh', command.file, ...command.args], {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ['ignore', options.output, options.output, 'pipe'],
    ...command.user,
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(child.pid ?? 0));
  });
  await watchdog.addChild(child, options.stop);
  // Descriptor 3 was asked for as a pipe, which is a duplex stream.
  const go = child.stdio[3] as Writable;
  go.on('error', () => undefined);
  go.end('\n');
  return { child, pid };
}

/** Signals a process or, with a negative pid, its group; false when there is none. */
export function signalProcess(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch {
    return false;
  }
}
