import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../support/until.ts';

export interface StreamServer {
  /** Resident memory once garbage is collected. */
  memoryKiB(): Promise<number>;
  stop(): Promise<void>;
}

const collections = 3;
/** V8 gives memory back some time after it has found it free. */
const afterCollectionMs = 700;

/** Starts the API, or the peer, as a process of its own; resolves once it listens. */
export async function startStreamServer(
  script: 'api/main.ts' | 'test/bench/streams/bare-fan-out.ts',
  options: {
    readonly env: Readonly<Record<string, string>>;
    readonly port: number;
    readonly guard: (child: ChildProcess) => Promise<void>;
  },
): Promise<StreamServer> {
  const { env, port, guard } = options;
  const flags = ['--expose-gc', '--import', join(import.meta.dirname, 'gc-on-signal.ts')];
  const child = spawn(process.execPath, [...flags, script], {
    cwd: join(import.meta.dirname, '../../..'),
    env: { ...env, ASTRA_API_PORT: String(port), ASTRA_ADMIN_PORT: '0', ASTRA_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  await guard(child);
  await until(() => listens(port), `${script} listens`);
  return {
    async memoryKiB() {
      for (let round = 0; round < collections; round += 1) {
        child.kill('SIGUSR2');
        await sleep(afterCollectionMs);
      }
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
    },
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
