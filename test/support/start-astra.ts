import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createAstra, type Astra } from '../../sdk/index.ts';
import type { ProvidedStack } from './stack/global-setup.ts';
import { until } from './until.ts';

const root = join(import.meta.dirname, '../..');

/** An API and a worker on the stack's servers. */
export interface RunningAstra extends AsyncDisposable {
  readonly client: Astra;
}

/** Starts both as processes of their own; resolves once goals can run. @param env added to the stack's environment */
export async function startAstra(
  { env, connection }: ProvidedStack,
  added: Record<string, string> = {},
): Promise<RunningAstra> {
  const start = (script: string): ChildProcess =>
    spawn(process.execPath, [join(root, script)], {
      cwd: root,
      env: { ...env, ASTRA_ADMIN_PORT: '0', ASTRA_LOG_LEVEL: 'warn', ...added },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
  const processes = [start('api/main.ts'), start('worker/main.ts')];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map(end));
  };
  const client = createAstra({ apiUrl: connection.apiUrl, token: connection.token });
  try {
    await until(() => isUp(client, processes), 'API and worker are up', { timeoutSeconds: 60 });
  } catch (error) {
    await stop();
    throw error;
  }
  return { client, [Symbol.asyncDispose]: stop };
}

/** The worker registers its tools when it is ready to run them. */
async function isUp(client: Astra, processes: readonly ChildProcess[]): Promise<boolean> {
  const dead = processes.find(({ exitCode }) => exitCode !== null);
  if (dead) throw new Error(`${dead.spawnargs.join(' ')} ended with exit code ${String(dead.exitCode)}`);
  const tools = await client.tools.list().catch(() => ({ items: [] }));
  return tools.items.length > 0;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
