import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inject } from 'vitest';
import { createNodeProcess } from '../../../infra/local/node-process.ts';
import { projectDir } from '../../../infra/local/paths.ts';
import { createPortAllocator } from '../../../infra/local/ports.ts';
import { supervise, type Supervisor } from '../../../infra/local/supervisor.ts';
import { createWatchdog, type Watchdog } from '../../../infra/local/watchdog.ts';
import { createAstra, type Astra } from '../../../sdk/index.ts';
import type { ProvidedStack } from '../stack/global-setup.ts';
import { createIssuer, type TokenClaims } from './issuer.ts';
import { parseMetrics, type Metrics } from './metrics.ts';

/** `worker-2` and so on when there are several. */
export type ProcessName = 'api' | 'worker' | `worker-${number}`;

export interface SystemOptions {
  /** Added to the environment of every process. */
  readonly env?: Readonly<Record<string, string>>;
  /** What each worker process has besides (one with nothing unless given). */
  readonly workers?: readonly Readonly<Record<string, string>>[];
  /** The servers to run on; those that all tests share unless given. */
  readonly stack?: ProvidedStack;
}

/** A real API and real workers, as processes of their own, on a stack's servers. */
export interface System {
  /** As the subject `tester` of the tenant `default`, with every scope but `admin`. */
  readonly astra: Astra;
  readonly token: string;
  readonly apiUrl: string;
  /** The environment that the processes run with. */
  readonly env: Readonly<Record<string, string>>;
  tokenFor(claims: TokenClaims): Promise<string>;
  /** Another caller's client. */
  clientFor(claims: TokenClaims): Promise<Astra>;
  /** Where the SDK does not reach; with the token unless `as` gives another, or null for none. */
  fetch(path: string, init?: RequestInit & { readonly as?: string | null }): Promise<Response>;
  /** Stops every worker in order and starts it again. */
  restartWorker(): Promise<void>;
  /** Signals a process as a fault would; it is started again on the same ports. */
  kill(name: ProcessName, signal?: NodeJS.Signals): void;
  /** Ends it in order and keeps it down until `startProcess`. */
  stopProcess(name: ProcessName): Promise<void>;
  startProcess(name: ProcessName): Promise<void>;
  pid(name: ProcessName): number | null;
  metrics(name: ProcessName): Promise<Metrics>;
  /** What a process has logged so far: JSON lines. */
  log(name: ProcessName): Promise<readonly Record<string, unknown>[]>;
  stop(): Promise<void>;
}

interface Member {
  readonly name: ProcessName;
  readonly adminPort: number;
  readonly logFile: string;
  readonly supervisor: Supervisor;
}

/**
 * Starts them and waits until they answer. They end with `stop`, and with the test process, however it ends.
 * Tokens are of the system's own issuer, so that a test may be any subject of any tenant.
 */
export async function startSystem(options: SystemOptions = {}): Promise<System> {
  const home = await mkdtemp(join(tmpdir(), 'astra-e2e-'));
  const watchdog = createWatchdog();
  const members: Member[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(members.map(({ supervisor }) => supervisor.stop()));
    watchdog.close();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const issuer = await createIssuer();
    await writeFile(join(home, 'jwks.json'), issuer.jwks);
    const ports = createPortAllocator('any');
    const apiPort = await ports.take('api');
    const apiUrl = `http://127.0.0.1:${apiPort}`;
    const stack = options.stack ?? inject('stack');
    const env = {
      ...stack.env,
      ASTRA_API_PORT: String(apiPort),
      ASTRA_PUBLIC_URL: apiUrl,
      ASTRA_JWKS_FILE: join(home, 'jwks.json'),
      ASTRA_LOG_LEVEL: 'warn',
      ...options.env,
    };
    for (const [name, own] of processesOf(options.workers ?? [{}])) {
      const adminPort = await ports.take('workerAdmin');
      members.push(createMember({ name, adminPort, apiPort, env: { ...env, ...own }, home, watchdog }));
    }
    await Promise.all(members.map(({ supervisor }) => supervisor.start()));
    const token = await issuer.sign({});
    return { ...controls(members), ...access(apiUrl, token, issuer.sign), env, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const processesOf = (
  workers: readonly Readonly<Record<string, string>>[],
): [name: ProcessName, env: Readonly<Record<string, string>>][] => [
  ['api', {}],
  ...workers.map((env, n): [ProcessName, typeof env] => [n === 0 ? 'worker' : `worker-${n + 1}`, env]),
];

function createMember(options: {
  readonly name: ProcessName;
  readonly adminPort: number;
  readonly apiPort: number;
  readonly env: Record<string, string>;
  readonly home: string;
  readonly watchdog: Watchdog;
}): Member {
  const { name, adminPort, apiPort, env, home, watchdog } = options;
  const kind = name === 'api' ? 'api' : 'worker';
  const port = name === 'api' ? apiPort : adminPort;
  const component = createNodeProcess({
    name: kind,
    script: join(projectDir, `${kind}/main.ts`),
    port,
    adminPort,
    readyUrl: `http://127.0.0.1:${port}/readyz`,
    version: process.version,
    env,
  });
  const logFile = join(home, `${name}.log`);
  const supervisor = supervise(component, {
    watchdog,
    logFile,
    onChange: () => undefined,
    onGiveUp: (error) => console.error(error),
  });
  return { name, adminPort, logFile, supervisor };
}

type Controls = Pick<System, 'restartWorker' | 'kill' | 'stopProcess' | 'startProcess' | 'pid' | 'metrics' | 'log'>;

function controls(members: readonly Member[]): Controls {
  const find = (name: ProcessName): Member => {
    const member = members.find((each) => each.name === name);
    if (!member) throw new Error(`The system has no ${name}.`);
    return member;
  };
  return {
    async restartWorker() {
      const workers = members.filter(({ name }) => name !== 'api').map(({ supervisor }) => supervisor);
      await Promise.all(workers.map((worker) => worker.stop()));
      await Promise.all(workers.map((worker) => worker.start()));
    },
    kill: (name, signal = 'SIGKILL') => find(name).supervisor.kill(signal),
    stopProcess: (name) => find(name).supervisor.stop(),
    startProcess: (name) => find(name).supervisor.start(),
    pid: (name) => find(name).supervisor.pid,
    async metrics(name) {
      const response = await fetch(`http://127.0.0.1:${find(name).adminPort}/metrics`);
      return parseMetrics(await response.text());
    },
    async log(name) {
      const text = await readFile(find(name).logFile, 'utf8');
      return text
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
}

type Access = Pick<System, 'astra' | 'token' | 'apiUrl' | 'tokenFor' | 'clientFor' | 'fetch'>;

function access(apiUrl: string, token: string, sign: (claims: TokenClaims) => Promise<string>): Access {
  return {
    astra: createAstra({ apiUrl, token }),
    token,
    apiUrl,
    tokenFor: sign,
    clientFor: async (claims) => createAstra({ apiUrl, token: await sign(claims) }),
    fetch(path, { as = token, ...init } = {}) {
      const headers = new Headers(init.headers);
      if (as !== null) headers.set('authorization', `Bearer ${as}`);
      return fetch(new URL(path, apiUrl), { ...init, headers });
    },
  };
}
