import { readConnection } from './connection.ts';
import { statePaths } from './paths.ts';

/** Another launcher holds the state directory. */
export class StackRunningError extends Error {
  constructor(root: string, pid: number | null) {
    const where = readConnection(statePaths(root).connection)?.apiUrl ?? 'it is still starting';
    super(`The local stack is already running (pid ${pid ?? 'unknown'}): ${where}\nStop it with: npm run stop`);
  }
}
