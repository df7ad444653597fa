import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAstra } from '../../../sdk/index.ts';
import { until } from '../../support/until.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import type { LoadRequest } from './load-process.ts';

/** One process at the end of a phase. */
export interface HeapSample {
  /** What its heaps hold once all garbage is collected. */
  readonly heldMiB: number;
  readonly residentMiB: number;
}
export type Subject = 'api' | 'worker';
export type Phase = Readonly<Record<Subject, HeapSample>>;

const project = join(import.meta.dirname, '../../..');
const probe = join(import.meta.dirname, 'heap-probe.ts');
/** The processes as they are deployed, but for what would refuse the load, and with caches that are soon full. */
const settings = {
  ASTRA_ADMIN_PORT: '0',
  ASTRA_LOG_LEVEL: 'error',
  ASTRA_RATE_LIMIT_PER_SECOND: '1000000',
  ASTRA_MAX_QUEUE_SECONDS: '0',
  ASTRA_VIEW_MEMORY_MIB: '1',
  ASTRA_RECORD_MEMORY_MIB: '8',
};

/** Has API and worker do the work of each phase in turn, and weighs both after each. */
export async function measureHeaps(
  phases: number,
  work: Pick<LoadRequest, 'goals' | 'reads'>,
  onPhase: (phase: Phase) => void,
): Promise<readonly Phase[]> {
  const stack = await startTestStack({ processes: 'servers' });
  const children: ChildProcess[] = [];
  async function start(script: string, execArgv: readonly string[] = []): Promise<ChildProcess> {
    const child = fork(join(project, script), {
      cwd: project,
      env: { ...stack.env, ...settings },
      execArgv: [...execArgv],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    await stack.guard(child);
    return child;
  }
  try {
    // Or V8 drops the code of what has not been called for some collections: 9 MiB, at any time.
    const probed = ['--expose-gc', '--no-flush-bytecode', '--import', probe];
    const subjects = {
      api: await start('api/main.ts', probed),
      worker: await start('worker/main.ts', ['--import', join(project, 'worker/lean-workflow-threads.ts'), ...probed]),
    };
    const { apiUrl, token } = stack.connection;
    const astra = createAstra({ apiUrl, token });
    // A worker that is ready has announced its tools.
    await until(
      async () => ((await astra.tools.list().catch(() => null))?.items.length ?? 0) > 0,
      'the worker is ready',
    );
    const load = await start('test/bench/leak/load-process.ts');
    const samples: Phase[] = [];
    for (let phase = 0; phase < phases; phase += 1) {
      await ask(load, { apiUrl, token, ...work } satisfies LoadRequest);
      const sample = { api: await weigh(subjects.api), worker: await weigh(subjects.worker) };
      onPhase(sample);
      samples.push(sample);
    }
    return samples;
  } finally {
    await Promise.all(children.map(end));
    await stack.stop();
  }
}

async function weigh(child: ChildProcess): Promise<HeapSample> {
  const held = Number(await ask(child, 'how much?'));
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return { heldMiB: held / 2 ** 20, residentMiB: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 2 ** 10 };
}

/** @throws when the child ends before it answers */
async function ask(child: ChildProcess, question: object | string): Promise<unknown> {
  const gone = new AbortController();
  const ended = once(child, 'exit', { signal: gone.signal }).then(([code]) => {
    throw new Error(`${child.spawnargs.at(-1)} ended with ${String(code)}`);
  });
  child.send(question);
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal: gone.signal }), ended])) as [unknown]; // what `once` gives
    return answer;
  } finally {
    gone.abort();
    ended.catch(() => undefined);
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
