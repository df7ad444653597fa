import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { processNames, serverNames } from './component.ts';
import { acquireLauncherLock, runningLauncher } from './launcher-lock.ts';
import { statePaths } from './paths.ts';
import { recordedHome } from './servers/postgres-home.ts';
import { StackRunningError } from './stack-running-error.ts';

/**
 * Forgets the data of a stack that is not running: databases, artifacts, logs, secrets. Fetched programs stay.
 *
 * @throws StackRunningError
 */
export function resetStack(root: string): void {
  const paths = statePaths(root);
  const lock = acquireLauncherLock(paths.launcher);
  if (lock === null) throw new StackRunningError(root, runningLauncher(paths.launcher));
  try {
    const outside = recordedHome(paths);
    if (outside !== null) rmSync(outside, { recursive: true, force: true });
    for (const name of [...serverNames, ...processNames]) rmSync(paths.data(name), { recursive: true, force: true });
    const files = [paths.logs, paths.artifacts, paths.connection, paths.status, paths.secrets, paths.jwks];
    for (const path of [...files, paths.postgresHome, join(root, 'goal-id')])
      rmSync(path, { recursive: true, force: true });
  } finally {
    lock.release();
  }
}
