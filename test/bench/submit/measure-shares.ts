import { round, type Table } from '../harness/bench.ts';
import { processorSeconds } from '../harness/processor-time.ts';
import type { LoopResult } from './closed-loop.ts';
import type { Submitters } from './start-submitters.ts';

const load = { concurrency: 16, seconds: 4 };
const parts = ['temporal', 'api', 'redis', 'postgres', 'caller'] as const;

/** What each process spends on a start: the profile that says why one call is slower than the other. */
export async function measureShares({ http, bare, pids }: Submitters): Promise<Table> {
  async function shares(call: string, pid: number, run: () => Promise<LoopResult>): Promise<string[]> {
    const all: Readonly<Record<string, number>> = { ...pids(), caller: pid };
    const used = (): Promise<readonly number[]> => Promise.all(parts.map((part) => processorSeconds(all[part] ?? 0)));
    const before = await used();
    const { latenciesMs } = await run();
    const after = await used();
    const each = after.map((seconds, index) => ((seconds - (before[index] ?? 0)) * 1_000) / latenciesMs.length);
    return [call, ...each.map(round)];
  }
  const callers = pids();
  return {
    title: 'Processor time a start, ms, by process',
    columns: ['call', ...parts],
    rows: [
      await shares('bare start', callers.bare, () => bare(load)),
      await shares('submit', callers.http, () => http({ ...load, keyed: false })),
      await shares('submit with a key', callers.http, () => http({ ...load, keyed: true })),
    ],
  };
}
