import { spawn, type ChildProcess } from 'node:child_process';
import type { Writable } from 'node:stream';
import { AstraError } from '../../domain/errors.ts';
import { abortError } from '../tools/abort-error.ts';
import { bwrapArguments, limitedCommand, type SandboxLayout } from './bwrap-arguments.ts';
import { chooseUser } from './choose-user.ts';
import { defaultSandboxLimits, type SandboxLimits } from './limits.ts';
import { closeMounts, openMounts, type MountRequest, type OpenMount } from './open-mounts.ts';
import { createOutputCollector, type OutputCollector } from './output-collector.ts';

export interface SandboxDeps {
  /** bubblewrap 0.10 or later, or a distribution's earlier one with the fix of CVE-2024-42472. */
  readonly bwrapPath: string;
  /** Only directories under these may be mounted. */
  readonly roots: readonly string[];
  /** Empty for every command, wherever they are mounted: the local stack's secrets lie there. */
  readonly hiddenDirectories?: readonly string[];
  readonly limits?: Partial<SandboxLimits>;
}
export interface SandboxRequest {
  /** Run by `sh -c`, in the first mounted directory, else in /tmp. */
  readonly command: string;
  readonly stdin?: string | undefined;
  readonly mounts?: readonly MountRequest[] | undefined;
  /** Shares the host's network, its loopback included. */
  readonly network?: boolean | undefined;
  /** When it aborts, every process of the sandbox is killed before `run` rejects. */
  readonly signal: AbortSignal;
  readonly onOutput?: (stream: 'stdout' | 'stderr', text: string) => void;
}
export interface SandboxResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly stderrTail: string;
  readonly durationMs: number;
  readonly truncated: boolean;
}
export interface Sandbox {
  /** @throws ASTRA_TOOL_INPUT_INVALID (mounts), ASTRA_SANDBOX_LIMIT (wall), ASTRA_TOOL_FAILED (cannot be started) */
  run(request: SandboxRequest): Promise<SandboxResult>;
  readonly limits: SandboxLimits;
}

/** stdin, stdout, stderr, bubblewrap's arguments, /etc/passwd, /etc/group; then the mounted directories. */
const argumentsFd = 3;
const passwdFd = 4;
const groupFd = 5;
const firstMountFd = 6;

/** All that a command inherits. Repositories belong to another user there, which git refuses unless told. */
const environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/tmp',
  LANG: 'C.UTF-8',
  GIT_CONFIG_COUNT: '1',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_OPTIONAL_LOCKS: '0',
};

/** Commands in namespaces of their own. Start-up takes about 10 ms (bubblewrap 0.8, 2 cores). */
export function createSandbox(deps: SandboxDeps): Sandbox {
  const limits: SandboxLimits = { ...defaultSandboxLimits, ...deps.limits };
  return {
    limits,
    async run(request) {
      if (request.signal.aborted) throw abortError(request.signal);
      const mounts = await openMounts(request.mounts ?? [], {
        roots: deps.roots,
        stateDirectories: deps.hiddenDirectories ?? [],
      });
      try {
        return await runCommand(deps.bwrapPath, await layOut(request, mounts, limits), mounts, request);
      } finally {
        await closeMounts(mounts);
      }
    },
  };
}

async function layOut(
  request: SandboxRequest,
  mounts: readonly OpenMount[],
  limits: SandboxLimits,
): Promise<SandboxLayout> {
  return {
    mounts: mounts.map(({ at, mode, masked }, index) => ({ fd: firstMountFd + index, at, mode, masked })),
    passwdFd,
    groupFd,
    user: await chooseUser(process.getuid?.() ?? -1, mounts),
    network: request.network ?? false,
    cwd: mounts[0]?.at ?? '/tmp',
    command: request.command,
    limits,
  };
}

async function runCommand(
  bwrapPath: string,
  layout: SandboxLayout,
  mounts: readonly OpenMount[],
  request: SandboxRequest,
): Promise<SandboxResult> {
  const startedAt = performance.now();
  const child = spawn(bwrapPath, ['--args', String(argumentsFd), '--', ...limitedCommand(layout)], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...mounts.map(({ directory }) => directory.fd)],
    env: environment,
    cwd: '/',
  });
  const { uid, gid } = layout.user;
  feed(
    child,
    argumentsFd,
    bwrapArguments(layout)
      .map((argument) => `${argument}\0`)
      .join(''),
  );
  feed(child, passwdFd, `sandbox:x:${uid}:${gid}:sandbox:/tmp:/bin/sh\n`);
  feed(child, groupFd, `sandbox:x:${gid}:\n`);
  feed(child, 0, request.stdin ?? '');
  const stdout = collect(child, 'stdout', layout.limits, request);
  const stderr = collect(child, 'stderr', layout.limits, request);
  const exitCode = await waitForEnd(child, request.signal, layout.limits.wallSeconds);
  stdout.end();
  stderr.end();
  refuseUnstarted(exitCode, stderr.text());
  return {
    exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    stderrTail: stderr.tail(),
    durationMs: Math.round(performance.now() - startedAt),
    truncated: stdout.truncated || stderr.truncated,
  };
}

function feed(child: ChildProcess, fd: number, text: string): void {
  // Every one of these is asked for as a pipe, and a pipe of Node's is a duplex stream. Null when the spawn failed.
  const pipe = child.stdio[fd] as Writable | null | undefined;
  // A command need not read its input: EPIPE is no failure.
  pipe?.on('error', () => undefined).end(text);
}

function collect(
  child: ChildProcess,
  stream: 'stdout' | 'stderr',
  limits: SandboxLimits,
  { onOutput }: SandboxRequest,
): OutputCollector {
  const collector = createOutputCollector({
    maxBytes: limits.outputBytes,
    onText: (text) => onOutput?.(stream, text),
  });
  child[stream]?.on('data', (chunk: Uint8Array) => collector.write(chunk));
  return collector;
}

/**
 * SIGKILL of bubblewrap reaches all: the first process of the sandbox dies with it (--die-with-parent), and with the
 * first process of a PID namespace the kernel kills the rest, daemons included. The same happens when the worker dies.
 */
async function waitForEnd(child: ChildProcess, signal: AbortSignal, wallSeconds: number): Promise<number> {
  let overWall = false;
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  const timer = setTimeout(() => {
    overWall = true;
    kill();
  }, wallSeconds * 1000);
  signal.addEventListener('abort', kill);
  if (signal.aborted) kill();
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.once('error', (error) => reject(unstartable(error.message)));
      // `close` comes after `exit` and after the last process that held the pipes is gone.
      child.once('close', (code) => resolve(code ?? 137));
    });
    if (signal.aborted) throw abortError(signal);
    if (overWall)
      throw new AstraError('ASTRA_SANDBOX_LIMIT', `The command ran longer than ${wallSeconds} s (limit: wall).`);
    return exitCode;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', kill);
  }
}

function refuseUnstarted(exitCode: number, stderr: string): void {
  if (exitCode !== 0 && /^(bwrap|setpriv|unshare|prlimit): /.test(stderr))
    throw unstartable(stderr.slice(0, 500).trim());
}

const unstartable = (reason: string): AstraError =>
  new AstraError(
    'ASTRA_TOOL_FAILED',
    `The sandbox could not be started: ${reason}. It needs bubblewrap (ASTRA_BWRAP_BIN), util-linux and user namespaces; see docs/guides/sandbox.md.`,
  );
