import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The server has one core, whatever loads it the other. */
export const cores = { server: '0', load: '1' } as const;

export interface PinnedServer {
  readonly url: string;
  readonly pid: number;
  /** Of /metrics; undefined: it has none. */
  readonly adminPort: number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts a server as a process on the server's core; resolves once it has logged where it listens.
 * @param command the script below the project's root, and its arguments
 */
export async function startPinned(
  command: readonly [script: string, ...args: string[]],
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly guard: (child: ChildProcess) => Promise<void>;
  },
): Promise<PinnedServer> {
  const child = spawn('taskset', ['-c', cores.server, process.execPath, ...command], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...options.env, ASTRA_API_PORT: '0', ASTRA_ADMIN_PORT: '0', ASTRA_LOG_LEVEL: 'info' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  await options.guard(child);
  const exited = once(child, 'exit');
  const lines: string[] = [];
  const listening = Promise.withResolvers<{ readonly url: string; readonly adminPort?: number }>();
  createInterface(child.stderr).on('line', (line) => {
    lines.push(line);
    // Both the API and the peer log it so.
    if (line.includes('"listening"')) listening.resolve(JSON.parse(line) as { url: string; adminPort?: number });
  });
  void exited.then(() => listening.reject(new Error(`${command.join(' ')} ended: ${lines.join('\n')}`)));
  const { url, adminPort } = await listening.promise;
  return {
    url,
    pid: child.pid ?? 0,
    adminPort,
    async stop() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
