import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { projectDir } from '../../../infra/local/paths.ts';
import type { Connection } from '../../../infra/local/connection.ts';
import { processorSeconds } from '../harness/processor-time.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import type { RunAnswer, RunRequest } from './engine-protocol.ts';

export interface Measurement extends RunAnswer {
  /** Processor seconds of each server meanwhile. */
  readonly serverCpuSeconds: Readonly<Record<(typeof servers)[number], number>>;
}

export interface Engines {
  run(request: RunRequest): Promise<Measurement>;
  stop(): Promise<void>;
}

const servers = ['temporal', 'postgres', 'redis'] as const;

/** The servers, and two processes on them: Astra's worker and the one written by hand. */
export async function startEngines(): Promise<Engines> {
  const stack = await startTestStack({ processes: 'servers' });
  const env = { ...stack.env, ASTRA_TOOL_MODULES: join(import.meta.dirname, 'tools.ts') };
  const children: ChildProcess[] = [];
  async function start(kind: 'astra' | 'by-hand'): Promise<ChildProcess> {
    // Each as its own worker is started.
    const execArgv = kind === 'astra' ? ['--import', join(projectDir, 'worker/lean-workflow-threads.ts')] : [];
    const child = fork(join(import.meta.dirname, 'engine-process.ts'), [kind], { env, execArgv });
    children.push(child);
    await stack.guard(child);
    await once(child, 'message');
    return child;
  }
  async function stop(): Promise<void> {
    for (const child of children) child.disconnect();
    await stack.stop();
  }
  try {
    const astra = await start('astra');
    const byHand = await start('by-hand');
    return {
      async run(request) {
        const child = request.engine === 'activities' || request.engine === 'local' ? byHand : astra;
        const before = await cpuOf(stack.connection);
        child.send(request);
        const [answer] = (await once(child, 'message')) as [RunAnswer]; // what engine-process.ts sends
        const after = await cpuOf(stack.connection);
        const serverCpuSeconds = {
          temporal: after.temporal - before.temporal,
          postgres: after.postgres - before.postgres,
          redis: after.redis - before.redis,
        };
        return { ...answer, serverCpuSeconds };
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function cpuOf({ processes }: Pick<Connection, 'processes'>): Promise<Measurement['serverCpuSeconds']> {
  const [temporal = 0, postgres = 0, redis = 0] = await Promise.all(
    servers.map((name) => processorSeconds(processes[name] ?? 0)),
  );
  return { temporal, postgres, redis };
}
