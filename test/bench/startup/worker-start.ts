import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileCache } from '../../../infra/local/paths.ts';
import { createAstra } from '../../../sdk/index.ts';
import type { Execution } from '../../support/chaos/counting-tools.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { until } from '../../support/until.ts';

export interface WorkerStarts {
  /** Seconds from the start of the worker's process to its first task's tool running. */
  first(): Promise<number>;
  /** The same when nothing is kept of earlier starts: as after a change of the sources. */
  firstEver(): Promise<number>;
  close(): Promise<void>;
}

/** A stack whose worker is started again and again, each time with a goal that waits for it. */
export async function prepareWorkerStarts(): Promise<WorkerStarts> {
  const directory = await mkdtemp(join(tmpdir(), 'astra-startup-'));
  const file = join(directory, 'executions.ndjson');
  const toolModules = join(import.meta.dirname, '../../support/chaos/counting-tools.ts');
  const stack = await startTestStack({ processes: 'all', env: { ...process.env, ASTRA_TOOL_MODULES: toolModules } });
  const astra = createAstra({ apiUrl: stack.connection.apiUrl, token: stack.connection.token });

  async function first(): Promise<number> {
    await stack.stopComponent('worker');
    const task = { id: 'first', kind: 'tool', tool: 'test.count', input: { file, milliseconds: 1 } } as const;
    const { id } = await astra.goals.submit({ objective: 'the first task', plan: { tasks: [task] } });
    const begun = Date.now();
    await stack.startComponent('worker');
    await until(async () => (await startOf(id)) !== null, 'the first task runs');
    return (((await startOf(id)) ?? Number.NaN) - begun) / 1_000;
  }

  async function startOf(goalId: string): Promise<number | null> {
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    const line = lines.find((each) => each.includes(goalId) && each.endsWith('}'));
    // The tool wrote it.
    return line === undefined ? null : Date.parse((JSON.parse(line) as Execution).at);
  }

  return {
    first,
    async firstEver() {
      await rm(compileCache, { recursive: true, force: true });
      return first();
    },
    async close() {
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
