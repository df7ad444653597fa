import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Environment } from './component.ts';
import { projectDir } from './paths.ts';
import type { Stack } from './stack.ts';

export interface CliResult {
  exitCode: number;
  /** Standard output and error together, when collected. */
  output: string;
}

export interface CliOptions {
  stack: Stack;
  env: Environment;
  /** Ends the command. */
  signal: AbortSignal;
}

const unreachable = 3;

/** Runs Astra's own command line against the stack; its exit code tells the goal's outcome. */
export async function runCli(
  args: string[],
  options: CliOptions & { output: 'inherit' | 'collect' },
): Promise<CliResult> {
  const { stack, env, signal, output } = options;
  const stdio = output === 'inherit' ? 'inherit' : 'pipe';
  const child = spawn(process.execPath, [join(projectDir, 'cli', 'main.ts'), ...args], {
    cwd: projectDir,
    // The user's own environment: it is the user's program, and it needs the terminal's variables.
    env: { ...env, ASTRA_API_URL: stack.connection.apiUrl, ASTRA_TOKEN: stack.connection.token },
    stdio: ['ignore', stdio, stdio],
    signal,
  });
  // Not in a process group of its own, so that a Ctrl-C reaches it too. A crashed launcher takes the API with it, and the
  // command ends for want of one; the guard is told of it all the same.
  const guarded = stack.guard(child);
  let collected = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (collected += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (collected += chunk));
  const ended = new Promise<CliResult>((resolve) => {
    child.once('error', (error) => resolve({ exitCode: unreachable, output: error.message }));
    child.once('close', (code) => resolve({ exitCode: code ?? unreachable, output: collected }));
  });
  await guarded;
  return ended;
}
