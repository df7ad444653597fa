import { join } from 'node:path';
import { loadConfig } from '../../../platform/config.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { until } from '../../support/until.ts';
import { round, target, type Bench, type BenchOptions, type Findings, type Table } from '../harness/bench.ts';
import { median, quantile } from '../harness/statistics.ts';
import type { LoadAnswer, LoadRequest } from '../overload/flood.ts';
import { openGoalCounts, type GoalCounts } from '../overload/record.ts';
import { startBenchChild } from '../submit/bench-child.ts';

const concurrency = 16;
const sustainSeconds = 10;
const floodSeconds = 30;
const overload = 3;
const readsPerSecond = 20;
const drainSeconds = 60;

export const overloadBench: Bench = {
  name: 'overload',
  title: 'Overload',
  method: `A whole Astra on one machine. Sustainable is what it completes with ${concurrency} goals of ten quick tasks under way, each submitted
when one before it has ended; measured before and after. Between, for ${floodSeconds} s, submissions come at random times at three
times that rate, whatever becomes of those before and without trying again, and accepted goals are read. What is not accepted
must be refused with 429 and \`Retry-After\`; what is accepted must complete.`,
  doesNotShow: [
    'Clients that wait as long as `Retry-After` says, as the SDK does: they come back, and fewer are refused.',
    'Goals whose tasks take long: admission looks at goals that wait to begin, not at tasks that wait for a slot.',
  ],
  async run(options) {
    // There is no paired ratio that a short run could tell.
    if (options.quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const stack = await startTestStack({
      processes: 'all',
      env: { ...process.env, ASTRA_RATE_LIMIT_PER_SECOND: '100000' },
    });
    const counts = openGoalCounts(loadConfig(stack.env));
    try {
      const { apiUrl, token } = stack.connection;
      const load = await startBenchChild<LoadRequest, LoadAnswer>(join(import.meta.dirname, '../overload/flood.ts'), {
        env: { ...stack.env, BENCH_API_URL: apiUrl, BENCH_TOKEN: token },
        guard: stack.guard,
      });
      const findings = await measure({ ask: load.ask, counts, log: options.log });
      load.process.kill();
      return findings;
    } finally {
      await counts.close();
      await stack.stop();
    }
  },
};

interface Parts {
  readonly ask: (request: LoadRequest) => Promise<LoadAnswer>;
  readonly counts: GoalCounts;
  readonly log: BenchOptions['log'];
}

async function measure(parts: Parts): Promise<Findings> {
  const { ask, counts, log } = parts;
  await ask({ kind: 'sustain', concurrency, seconds: 4 });
  const before = await sustain(parts);
  const perSecond = before * overload;
  log(`sustainable: ${round(before)} goals/s; now ${round(perSecond)} submissions/s`);
  const from = Date.now();
  const flood = await ask({ kind: 'flood', perSecond, readsPerSecond, seconds: floodSeconds });
  const during = (await counts.completedBetween(from, from + floodSeconds * 1_000)) / floodSeconds;
  const drain = await awaitAll(counts, flood.acceptedIds);
  const after = await sustain(parts);
  const kept = during / ((before + after) / 2);
  log(`${flood.acceptedIds.length} accepted, ${flood.refusedMs.length} refused; ${round(during)} goals/s meanwhile`);

  const lost = flood.acceptedIds.length - drain.completed;
  return {
    targets: [
      target('accepted goals that did not complete', lost, { atMost: 0 }),
      target('answers that are neither 202 nor 429 with Retry-After', flood.unexpected.length, { atMost: 0 }),
      target('goals/s completed in overload, by the sustainable', kept, { atLeast: 0.7 }, ' ×'),
    ],
    tables: [
      {
        title: 'Goals a second',
        columns: ['load', 'submitted/s', 'accepted/s', 'completed/s'],
        rows: [
          [`${concurrency} goals at once, before`, round(before), round(before), round(before)],
          ['overload', ...[perSecond, flood.acceptedIds.length / floodSeconds, during].map(round)],
          [`${concurrency} goals at once, after`, round(after), round(after), round(after)],
        ],
      },
      latencies(flood),
    ],
    notes: [
      `Accepted goals were all done ${round(drain.seconds)} s after the overload. Refusals asked to wait ${retryAfterText(flood)}.`,
      `Without admission the same load left 1–2 goals/s and a queue of minutes: a start takes 5 ms of the server's processor time.
Lost: Temporal's own \`approximateBacklogCount\`, which is up to 5 s old ([0013](../adr/0013-admission-by-what-has-begun.md)).`,
      ...[...new Set(flood.unexpected)].slice(0, 3),
    ],
    ratios: {},
  };
}

/** Goals completed a second. */
async function sustain({ ask }: Parts): Promise<number> {
  const begun = performance.now();
  const { acceptedIds } = await ask({ kind: 'sustain', concurrency, seconds: sustainSeconds });
  return (acceptedIds.length * 1_000) / (performance.now() - begun);
}

async function awaitAll(
  counts: GoalCounts,
  goalIds: readonly string[],
): Promise<{ readonly completed: number; readonly seconds: number }> {
  const begun = performance.now();
  let completed = 0;
  const isDone = async (): Promise<boolean> => {
    completed = await counts.count(goalIds, 'completed');
    return completed === goalIds.length;
  };
  // What is lost is told by the target.
  await until(isDone, 'all accepted goals complete', { timeoutSeconds: drainSeconds }).catch(() => undefined);
  return { completed, seconds: (performance.now() - begun) / 1_000 };
}

function latencies({ acceptedMs, refusedMs, readMs }: LoadAnswer): Table {
  const row = (call: string, samples: readonly number[]): string[] =>
    samples.length === 0
      ? [call, '0', '', '', '']
      : [
          call,
          String(samples.length),
          ...[0.5, 0.99].map((q) => round(quantile(samples, q))),
          round(Math.max(...samples)),
        ];
  return {
    title: 'Latency during the overload, from when a request was due, ms',
    columns: ['request', 'count', 'p50', 'p99', 'longest'],
    rows: [row('accepted submission', acceptedMs), row('refused submission', refusedMs), row('read of a goal', readMs)],
  };
}

const retryAfterText = ({ retryAfterSeconds: seconds }: LoadAnswer): string =>
  seconds.length === 0 ? 'for nothing' : `${median(seconds)} s (${Math.min(...seconds)}–${Math.max(...seconds)} s)`;
