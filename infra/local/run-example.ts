import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from './component.ts';
import { projectDir } from './paths.ts';
import { type CliOptions, runCli } from './run-cli.ts';

export interface ExampleOutcome {
  /** 0 completed, 1 failed, 2 cancelled, 3 unreachable. */
  exitCode: number;
  goalId: string | null;
  /** The goal's artifacts, downloaded. */
  artifacts: string[];
}

const templates = ['examples/repo-report/template.json', 'examples/approved-greeting/template.json'];

/** Registers the example templates, through the command line that users have. */
export async function applyTemplates(options: CliOptions): Promise<void> {
  for (const template of templates) {
    const { exitCode, output } = await runCli(['template', 'apply', join(projectDir, template)], {
      ...options,
      output: 'collect',
    });
    if (exitCode !== 0) throw new Error(`The template ${template} was not accepted:\n${output}`);
  }
}

/** What the example reports on. */
export const exampleDirectory = (env: Environment): string => env.ASTRA_EXAMPLE_DIRECTORY ?? projectDir;

/** Runs the example goal on that directory, showing its progress, and fetches its artifacts. */
export async function runExample(options: CliOptions): Promise<ExampleOutcome> {
  const idFile = join(options.stack.paths.root, 'goal-id');
  rmSync(idFile, { force: true });
  const directory = exampleDirectory(options.env);
  const run = ['template', 'run', 'repo-report', '--param', `directory=${directory}`, '--watch', '--id-file', idFile];
  const { exitCode } = await runCli(run, { ...options, output: 'inherit' });
  const goalId = existsSync(idFile) ? readFileSync(idFile, 'utf8').trim() : null;
  if (goalId === null) return { exitCode: exitCode === 0 ? 1 : exitCode, goalId, artifacts: [] };
  return { exitCode, goalId, artifacts: await downloadArtifacts(options, goalId) };
}

async function downloadArtifacts(options: CliOptions, goalId: string): Promise<string[]> {
  const directory = join(options.stack.paths.artifacts, goalId);
  mkdirSync(directory, { recursive: true });
  const download = ['goal', 'artifacts', goalId, '--download', directory];
  const { exitCode, output } = await runCli(download, { ...options, output: 'collect' });
  if (exitCode !== 0) throw new Error(`The goal's artifacts could not be downloaded:\n${output}`);
  return readdirSync(directory)
    .toSorted()
    .map((name) => join(directory, name));
}
