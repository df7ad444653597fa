import { resolve } from 'node:path';
import type { Environment } from './component.ts';
import { errorMessage } from './error-message.ts';
import { projectDir } from './paths.ts';
import { preferredPorts } from './ports.ts';
import { resetStack } from './reset.ts';
import { applyTemplates, exampleDirectory, runExample } from './run-example.ts';
import { type Stack, startStack } from './stack.ts';

export interface StartOptions {
  /** End after the example, with its outcome as exit code. */
  once: boolean;
  example: boolean;
  reset: boolean;
  root: string;
}

const interruptedExitCode = 130;

/** `npm start`: brings the stack up, runs the example, serves until it is told to stop. Returns the exit code. */
export async function start(options: StartOptions, env: Environment): Promise<number> {
  const interrupted = listenForInterrupts();
  let stack: Stack | undefined;
  try {
    if (options.reset) resetStack(options.root);
    print('Astra: starting the local stack');
    stack = await startStack({ root: options.root, env }, interrupted);
    for (const line of movedPorts(stack)) print(line);
    const failed = stack.failure.then((error) => {
      throw error;
    });
    return await Promise.race([
      failed,
      whenInterrupted(interrupted, options.once),
      use(stack, { options, env, interrupted }),
    ]);
  } catch (error) {
    process.stderr.write(`${interrupted.aborted ? 'Interrupted.' : errorMessage(error)}\n`);
    return interrupted.aborted ? interruptedExitCode : 1;
  } finally {
    if (stack !== undefined) {
      print('Stopping…');
      await stack.stop();
    }
  }
}

interface Use {
  options: StartOptions;
  env: Environment;
  interrupted: AbortSignal;
}

/** Runs the example and, unless that was all, serves for ever. */
async function use(stack: Stack, { options, env, interrupted }: Use): Promise<number> {
  const exitCode = options.example ? await showExample(stack, { options, env, interrupted }) : 0;
  if (!options.example) print(serving(stack, null, options.once));
  if (options.once || interrupted.aborted) return exitCode;
  print('\nServing until Ctrl-C (or `npm run stop`).');
  return new Promise(() => undefined);
}

async function showExample(stack: Stack, { options, env, interrupted: signal }: Use): Promise<number> {
  const cli = { stack, env, signal };
  await applyTemplates(cli);
  const directory = exampleDirectory(env);
  print(
    `\nThe example goal: a report on ${resolve(directory) === resolve(projectDir) ? 'this repository' : directory}`,
  );
  const { exitCode, goalId, artifacts } = await runExample(cli);
  // The interruption says so itself.
  if (signal.aborted) return interruptedExitCode;
  const verdict = ['completed', 'failed', 'was cancelled'][exitCode] ?? 'cannot be reached';
  print(`\nGoal ${goalId ?? '(not submitted)'} ${verdict}.`);
  for (const artifact of artifacts) print(`  artifact   ${artifact}`);
  print(serving(stack, goalId, options.once));
  return exitCode;
}

/** The ports that people know by heart and that another program holds. */
function movedPorts({ connection }: Stack): string[] {
  const { apiUrl, temporalAddress, temporalUiUrl, databaseUrl, redisUrl, memcachedServers, s3Endpoint } = connection;
  const ports: [name: keyof typeof preferredPorts, address: string][] = [
    ['api', apiUrl],
    ['temporal', temporalAddress],
    ['temporalUi', temporalUiUrl],
    ['postgres', databaseUrl],
    ['redis', redisUrl],
    ['memcached', memcachedServers],
    ['s3', s3Endpoint],
  ];
  return ports.flatMap(([name, address]) => {
    const port = /:(\d+)(?:\/[^/]*)?$/.exec(address)?.[1];
    return port === undefined || port === String(preferredPorts[name])
      ? []
      : [`  ! ${name.padEnd(12)} port ${preferredPorts[name]} is taken by another program: here it is ${port}`];
  });
}

/** Where everything is, and a command to paste while it is served. The token stays in its file, out of the terminal's history. */
function serving(stack: Stack, goalId: string | null, once: boolean): string {
  const { apiUrl, temporalUiUrl } = stack.connection;
  const workflow = goalId === null ? '' : `/namespaces/default/workflows/${encodeURIComponent(`goal/${goalId}`)}`;
  const path = goalId === null ? '/v1/goals' : `/v1/goals/${goalId}`;
  const token = `$(node -p 'JSON.parse(fs.readFileSync("${stack.paths.connection}")).token')`;
  return [
    `  API        ${apiUrl}`,
    `  API docs   ${apiUrl}/docs`,
    `  Temporal   ${temporalUiUrl}${workflow}`,
    ...(once ? [] : [`  try        curl -H "Authorization: Bearer ${token}" ${apiUrl}${path}`]),
  ].join('\n');
}

/** Aborts at the first signal; a second one ends the launcher at once, and its guard the rest. */
function listenForInterrupts(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(interruptedExitCode);
      controller.abort();
    });
  }
  return controller.signal;
}

/** The exit code of an interrupted start: to stop serving when told to is no failure, to stop before the end is one. */
function whenInterrupted(signal: AbortSignal, once: boolean): Promise<number> {
  return new Promise((resolve) => {
    const done = (): void => resolve(once ? interruptedExitCode : 0);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
