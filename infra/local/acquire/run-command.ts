import { execFile } from 'node:child_process';
import type { Environment } from '../component.ts';

export interface CommandResult {
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  env: Environment;
  /** Ends the program. */
  signal?: AbortSignal | undefined;
  cwd?: string;
  timeoutMs?: number;
  uid?: number;
  gid?: number;
}

/** What fetching a program needs to know. */
export interface FetchOptions {
  /** Where fetched programs are kept. */
  binDir: string;
  env: Environment;
  signal?: AbortSignal | undefined;
}

export function commandContext({ env, signal }: FetchOptions): CommandOptions {
  return { env, signal };
}

/** Runs a program to its end. Rejects with what it wrote last when it fails or takes longer than its time. */
export function runCommand(file: string, args: string[], options: CommandOptions): Promise<CommandResult> {
  const { timeoutMs = 30_000, env, ...rest } = options;
  return new Promise((resolve, reject) => {
    const execOptions = { ...rest, env: { ...env }, timeout: timeoutMs, maxBuffer: 16 * 1024 * 1024 };
    execFile(file, args, execOptions, (error, stdout, stderr) => {
      if (error === null) return resolve({ stdout, stderr });
      const lastLines = `${stderr}${stdout}`.trim().split('\n').slice(-5).join('\n');
      reject(new Error(`'${file} ${args.join(' ')}' failed: ${lastLines || error.message}`));
    });
  });
}
