import { join } from 'node:path';
import type { Stack } from '../../../infra/local/stack.ts';
import { createAstra } from '../../../sdk/index.ts';
import { until } from '../../support/until.ts';
import type { Subject } from './measure-recovery.ts';
import { diamond, goals } from './work.ts';

export const toolModule = join(import.meta.dirname, '../../support/chaos/counting-tools.ts');

/** The local stack's own worker, which its launcher starts again. */
export function createAstraSubject(stack: Stack): Subject {
  const { connection } = stack;
  const astra = createAstra({ apiUrl: connection.apiUrl, token: connection.token });
  let ids: readonly string[] = [];

  /** By effect. */
  async function recordedEnds(): Promise<ReadonlyMap<string, string>> {
    const ends = new Map<string, string>();
    for (const id of ids)
      for await (const { type, taskId, at } of astra.goals.history(id))
        if (type === 'task.completed') ends.set(`${id}/${taskId}/1`, at);
    return ends;
  }

  return {
    async start(file) {
      const submitted = Array.from({ length: goals }, (_, goal) => astra.goals.submit(diamond(file, goal)));
      ids = (await Promise.all(submitted)).map(({ id }) => id);
      const results = ids.map((id) => astra.goals.result(id, { timeoutMs: 60_000 }));
      const finished = Promise.all(results).then((all) => {
        if (all.some(({ status }) => status !== 'completed')) throw new Error('not every goal has completed');
      });
      return { finished };
    },
    async replaceWorker() {
      const pid = connection.processes['worker'];
      stack.kill('worker', 'SIGKILL');
      await until(() => ![pid, undefined].includes(connection.processes['worker']), 'the launcher starts a new worker');
      await stack.waitUntilUp('worker');
    },
    async afterRecord(executions) {
      const ends = await recordedEnds();
      return executions.filter(({ effectId, at }) => at > (ends.get(effectId) ?? '')).length;
    },
  };
}
