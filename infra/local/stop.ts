import { setTimeout as sleep } from 'node:timers/promises';
import { runningLauncher } from './launcher-lock.ts';
import { statePaths } from './paths.ts';
import { signalProcess } from './spawn-guarded.ts';

const timeoutMs = 60_000;

/** `npm run stop`: ends the running launcher, which stops everything in order. Returns the exit code. */
export async function stop(root: string): Promise<number> {
  const lock = statePaths(root).launcher;
  const pid = runningLauncher(lock);
  if (pid === null) {
    process.stdout.write('No local stack is running.\n');
    return 0;
  }
  signalProcess(pid, 'SIGTERM');
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(50)) {
    if (runningLauncher(lock) === pid) continue;
    process.stdout.write('The local stack is stopped.\n');
    return 0;
  }
  process.stderr.write(
    `The launcher (pid ${pid}) has not ended within ${timeoutMs / 1000} s. 'kill -9 ${pid}' ends it, and all it started.\n`,
  );
  return 1;
}
