import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readConnection } from '../../../infra/local/connection.ts';
import { projectDir, statePaths } from '../../../infra/local/paths.ts';
import { until } from '../../support/until.ts';

/** Seconds from the command to a stack that is ready: it says so, and API and worker run. Stops it again. */
export async function measureNpmStart(stateDir: string): Promise<number> {
  const begun = performance.now();
  const npm = spawn('npm', ['start', '--loglevel=error', '--', '--no-example'], {
    cwd: projectDir,
    env: { ...process.env, ASTRA_STATE_DIR: stateDir },
    // A process group of its own, which is told to stop as a terminal does it.
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(npm, 'exit');
  let output = '';
  npm.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  try {
    await until(() => npm.exitCode !== null || output.includes('API docs'), 'npm start says where the API is');
    const connection = readConnection(statePaths(stateDir).connection);
    if (!connection?.processes['worker']) throw new Error(`npm start has come to nothing:\n${output}`);
    const { status } = await fetch(`${connection.apiUrl}/readyz`);
    if (status !== 200) throw new Error(`The API answers ${status} when it should be ready.`);
    return (performance.now() - begun) / 1_000;
  } finally {
    if (npm.pid !== undefined && npm.exitCode === null) process.kill(-npm.pid, 'SIGINT');
    await ended;
  }
}
