import type { Bucket } from '../execution/engine-protocol.ts';
import { startEngines } from '../execution/engines.ts';
import { tasksOf } from '../execution/work.ts';
import { round, target, type Bench } from '../harness/bench.ts';

const secondsOfLoad = 20;

/** By straight lines between the bounds of the buckets. */
function quantileOf(buckets: readonly Bucket[], q: number): number {
  const wanted = q * (buckets.at(-1)?.count ?? Number.NaN);
  const at = buckets.findIndex(({ count }) => count >= wanted);
  const [below, bucket] = [buckets[at - 1] ?? { atMostSeconds: 0, count: 0 }, buckets[at]];
  if (!bucket) return Number.NaN;
  const share = (wanted - below.count) / (bucket.count - below.count);
  return below.atMostSeconds + share * (bucket.atMostSeconds - below.atMostSeconds);
}

export const schedulingBench: Bench = {
  name: 'scheduling',
  title: 'Scheduling latency',
  method: `
From a task being ready (the end of its last dependency, or its goal's beginning) to its tool running, as the worker's own histogram \`astra_task_scheduling_seconds\`
has it, while diamonds of ten tasks with effects come in at a steady 70 % of the rate that 16 goals at once reach. They come in
whether or not earlier ones have ended.`,
  doesNotShow: [
    'Tasks without effects: they begin within their segment, where nothing is scheduled.',
    'Bursts, and rates beyond what the machine can do, where queues grow: see Overload.',
  ],
  async run({ quick, log }) {
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const engines = await startEngines();
    try {
      const most = { engine: 'effects', work: 'diamond', goals: 150, atOnce: 16 } as const;
      await engines.run(most);
      const { seconds } = await engines.run(most);
      const perSecond = (0.7 * most.goals) / seconds;
      log(`${round(perSecond)} goals/s`);
      const goals = Math.round(secondsOfLoad * perSecond);
      const { scheduling, latenciesMs } = await engines.run({ ...most, goals, perSecond });
      const [p50, p95, p99] = [0.5, 0.95, 0.99].map((q) => 1_000 * quantileOf(scheduling, q));
      return {
        targets: [
          target('median at 70 % of the measured maximum', p50 ?? Number.NaN, { atMost: 50 }, ' ms'),
          target('p95 at 70 % of the measured maximum', p95 ?? Number.NaN, { atMost: 500 }, ' ms'),
        ],
        tables: [
          {
            title: `${round(perSecond)} goals/s, ${round(perSecond * tasksOf.diamond)} tasks/s for ${secondsOfLoad} s`,
            columns: ['tasks', 'p50, ms', 'p95, ms', 'p99, ms', 'goals that ended'],
            rows: [
              [
                round(scheduling.at(-1)?.count ?? 0),
                ...[p50, p95, p99].map((value) => round(value ?? Number.NaN)),
                round(latenciesMs.length),
              ],
            ],
          },
        ],
        notes: [],
        ratios: {},
      };
    } finally {
      await engines.stop();
    }
  },
};
