import type { ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { allOrNothing } from './all-or-nothing.ts';
import { type Binaries, resolveBinaries } from './acquire/resolve-binaries.ts';
import type { ComponentName, Environment } from './component.ts';
import { type Connection, writeConnection } from './connection.ts';
import { createFleet, type Fleet } from './fleet.ts';
import { acquireLauncherLock, runningLauncher } from './launcher-lock.ts';
import { createLocalToken } from './local-token.ts';
import { createNodeProcess } from './node-process.ts';
import { projectDir, type StatePaths, statePaths } from './paths.ts';
import { createPortAllocator, type PortAllocator } from './ports.ts';
import { type Addresses, processEnvironment } from './process-environment.ts';
import { createReporter, type Reporter, silentReporter } from './reporter.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { startServers } from './start-servers.ts';
import { StackRunningError } from './stack-running-error.ts';
import { writeStatus } from './stack-status.ts';

export interface StackOptions {
  /** The state directory; `<project>/.astra` when not given. */
  root?: string;
  /** `servers` leaves API and worker to the caller (tests). */
  processes?: 'servers' | 'all';
  /** `preferred` moves on from taken defaults; `any` takes free ports, so that stacks can run side by side. */
  ports?: 'preferred' | 'any';
  quiet?: boolean;
  env: Environment;
  /** Scripts in place of the API's and the worker's (tests of the launcher). */
  scripts?: { api: string; worker: string };
  /** Apply the migrations (the default). */
  migrate?: boolean;
}

export interface Stack {
  readonly paths: StatePaths;
  /** The configuration that API and worker get. */
  readonly env: Readonly<Record<string, string>>;
  readonly connection: Connection;
  /** Resolves when a component keeps dying and is given up. */
  readonly failure: Promise<Error>;
  /** Ends everything in order; later calls wait for the first. */
  stop(): Promise<void>;
  /** Stops one component and keeps it down until `startComponent`. */
  stopComponent(name: ComponentName): Promise<void>;
  startComponent(name: ComponentName): Promise<void>;
  restart(name: ComponentName): Promise<void>;
  /** Signals a component as a fault would; the launcher starts it again on the same port. */
  kill(name: ComponentName, signal?: NodeJS.Signals): void;
  /** Resolves when the component answers, for example again after `kill`. */
  waitUntilUp(name: ComponentName): Promise<void>;
  /** Ends a child of the caller, too, when the caller is gone. */
  guard(child: ChildProcess): Promise<void>;
}

/** Where fetched programs are kept: shared by all stacks of the project, and by clones that are told so. */
export function binDirectory(env: Environment): string {
  return resolve(env.ASTRA_CACHE_DIR ?? join(projectDir, '.astra', 'bin'));
}

/**
 * Starts the local stack and keeps it running. An abort of `signal` stops what has been started and rejects.
 *
 * @throws StackRunningError when one runs in the same directory; an Error that says what to do for anything else.
 */
export async function startStack(options: StackOptions, signal?: AbortSignal): Promise<Stack> {
  const paths = statePaths(resolve(options.root ?? join(projectDir, '.astra')));
  mkdirSync(paths.logs, { recursive: true, mode: 0o755 });
  // Others may pass through to what is theirs (Postgres may run as another user) and not list what is there.
  chmodSync(paths.root, 0o711);
  chmodSync(paths.logs, 0o700);
  const lock = acquireLauncherLock(paths.launcher);
  if (lock === null) throw new StackRunningError(paths.root, runningLauncher(paths.launcher));
  const reporter = options.quiet ? silentReporter : createReporter(process.stdout, signal);
  const fleet = createFleet(paths);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopped ??= fleet.stop().finally(() => {
      // Pids and ports of a stack that is gone would mislead.
      rmSync(paths.connection, { force: true });
      rmSync(paths.status, { force: true });
      lock.release();
    });
    return stopped;
  };
  const abort = (): void => void stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return { ...(await bringUp(options, { paths, reporter, fleet, signal })), paths, stop };
  } catch (error) {
    await stop();
    throw signal?.aborted ? new Error('The start was interrupted.', { cause: error }) : error;
  } finally {
    signal?.removeEventListener('abort', abort);
    if (signal?.aborted) await stop();
  }
}

interface Workplace {
  paths: StatePaths;
  reporter: Reporter;
  fleet: Fleet;
  signal: AbortSignal | undefined;
}

async function bringUp(options: StackOptions, workplace: Workplace): Promise<Omit<Stack, 'paths' | 'stop'>> {
  const { paths, reporter, fleet, signal } = workplace;
  const { env: outerEnv } = options;
  const binaries = await resolveBinaries({ binDir: binDirectory(outerEnv), env: outerEnv, reporter, signal });
  signal?.throwIfAborted();
  const secrets = await loadSecrets(paths.secrets);
  const token = await createLocalToken(secrets, paths.jwks);
  const ports = createPortAllocator(options.ports ?? 'preferred');
  const apiPort = await ports.take('api');
  const context = { paths, ports, secrets, env: outerEnv, binaries, reporter, fleet };
  const servers = await startServers(context, options.migrate ?? true);
  signal?.throwIfAborted();
  const env = processEnvironment(outerEnv, { ...servers, ...access(paths, secrets, binaries), apiPort });
  const connection: Connection = {
    apiUrl: `http://127.0.0.1:${apiPort}`,
    token,
    temporalAddress: servers.temporalAddress,
    temporalUiUrl: servers.temporalUiUrl,
    databaseUrl: servers.databaseUrl,
    redisUrl: servers.redisUrl,
    memcachedServers: servers.memcachedServers,
    s3Endpoint: servers.s3Endpoint,
    processes: {},
  };
  fleet.onChange(() => {
    connection.processes = fleet.processes();
    writeConnection(paths.connection, connection);
    writeStatus(paths.status, fleet.status());
  });
  if (options.processes !== 'servers') {
    await startProcesses({ ports, apiPort, env, reporter, fleet, scripts: options.scripts });
  }
  return {
    env,
    connection,
    failure: fleet.failure,
    stopComponent: (name) => fleet.get(name).stop(),
    startComponent: (name) => fleet.get(name).start(),
    async restart(name) {
      await fleet.get(name).stop();
      await fleet.get(name).start();
    },
    kill: (name, killSignal = 'SIGKILL') => fleet.get(name).kill(killSignal),
    waitUntilUp: (name) => fleet.waitUntilUp(name),
    guard: (child) => fleet.guard(child),
  };
}

function access(
  paths: StatePaths,
  secrets: Secrets,
  binaries: Binaries,
): Pick<Addresses, 's3AccessKeyId' | 's3SecretAccessKey' | 'secretsKey' | 'jwksFile' | 'bwrap' | 'stateDirectory'> {
  const { s3AccessKeyId, s3SecretAccessKey, secretsKey } = secrets;
  const bwrap = binaries.bwrap?.path ?? null;
  return { s3AccessKeyId, s3SecretAccessKey, secretsKey, jwksFile: paths.jwks, bwrap, stateDirectory: paths.root };
}

interface ProcessOptions {
  ports: PortAllocator;
  apiPort: number;
  env: Record<string, string>;
  reporter: Reporter;
  fleet: Fleet;
  scripts: { api: string; worker: string } | undefined;
}

async function startProcesses(options: ProcessOptions): Promise<void> {
  const { ports, apiPort, env, reporter, fleet } = options;
  const scripts = options.scripts ?? {
    api: join(projectDir, 'api/main.ts'),
    worker: join(projectDir, 'worker/main.ts'),
  };
  for (const script of Object.values(scripts)) {
    if (!existsSync(script)) throw new Error(`${script} is not there.`);
  }
  const version = process.version.slice(1);
  const workerAdmin = await ports.take('workerAdmin');
  const apiAdmin = await ports.take('apiAdmin');
  const common = { version: `node ${version}`, env };
  const workerUrl = `http://127.0.0.1:${workerAdmin}/readyz`;
  const apiUrl = `http://127.0.0.1:${apiPort}/readyz`;
  const worker = createNodeProcess({
    ...common,
    name: 'worker',
    script: scripts.worker,
    preload: join(projectDir, 'worker/lean-workflow-threads.ts'),
    port: workerAdmin,
    adminPort: workerAdmin,
    readyUrl: workerUrl,
  });
  const api = createNodeProcess({
    ...common,
    name: 'api',
    script: scripts.api,
    port: apiPort,
    adminPort: apiAdmin,
    readyUrl: apiUrl,
  });
  const start = (component: typeof api): Promise<void> =>
    reporter.step(
      component.name,
      () => fleet.start(component),
      () => `127.0.0.1:${component.port}`,
    );
  await allOrNothing([start(worker), start(api)]);
}
