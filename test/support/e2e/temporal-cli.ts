import { join, resolve } from 'node:path';
import { resolveBinaries } from '../../../infra/local/acquire/resolve-binaries.ts';
import { runCommand, type CommandResult } from '../../../infra/local/acquire/run-command.ts';
import { projectDir } from '../../../infra/local/paths.ts';
import { silentReporter } from '../../../infra/local/reporter.ts';

/** Runs shell commands that call `temporal`: the program that the stack runs, on its server, with nothing of this user's. */
export async function createTemporalCli(
  env: Readonly<Record<string, string>>,
): Promise<(command: string, variables: Readonly<Record<string, string>>) => Promise<CommandResult>> {
  const binDir = resolve(process.env.ASTRA_CACHE_DIR ?? join(projectDir, '.astra', 'bin'));
  const { temporal } = await resolveBinaries({ binDir, env: process.env, reporter: silentReporter });
  const program = `temporal() { ${JSON.stringify(temporal.path)} "$@"; }`;
  const address = env['TEMPORAL_ADDRESS'] ?? '';
  const always = { PATH: '/usr/bin:/bin', HOME: '/nonexistent', NO_COLOR: '1', TEMPORAL_ADDRESS: address };
  return (command, variables) =>
    runCommand('/bin/sh', ['-c', `${program}\n${command}`], { env: { ...always, ...variables } });
}
