import { round, target, type Bench, type BenchOptions, type Findings, type Table } from '../harness/bench.ts';
import { measurePaired } from '../harness/paired.ts';
import { median, quantile, spread } from '../harness/statistics.ts';
import type { LoopResult } from '../submit/closed-loop.ts';
import type { HttpRequest } from '../submit/http-load.ts';
import { measureShares } from '../submit/measure-shares.ts';
import { startSubmitters, type Submitters } from '../submit/start-submitters.ts';

const connections = [16, 32] as const;
/** Of the most that was measured. */
const partialLoad = 0.7;
const openSeconds = 20;
const readBackSeconds = 3;

export const submitBench: Bench = {
  name: 'submit',
  title: 'Submitting goals',
  method: `\`POST /v1/goals\` with a token and an explicit plan of ten tasks, beside bare \`client.workflow.start\` calls with the same
arguments from a process like the API's; as many callers at once. No worker runs, so that both measure starts alone. The
latency is that of arrivals at random times (a Poisson process), counted from when a request was due, at 70 % of the rate that
16 connections reach. Then each of 16 connections reads every goal right after its 202.`,
  doesNotShow: [
    'How fast goals run: that is [execution](#execution), and [overload](#overload) when more come than can be run.',
    'A larger Temporal server. The local one keeps all in one SQLite file and is the bottleneck here; the API alone could take several times as many.',
  ],
  run,
};

async function run({ quick, log }: BenchOptions): Promise<Findings> {
  const submitters = await startSubmitters();
  try {
    if (quick) {
      const { bare, submit } = ratesOf(submitters, { concurrency: 16, seconds: 1.5 });
      const { ratio } = await measurePaired({ bare, submit }, { repetitions: 3 });
      return { targets: [], tables: [], notes: [], ratios: { submit_rate: ratio('submit', 'bare') } };
    }
    return await measure(submitters, log);
  } finally {
    await submitters.stop();
  }
}

function ratesOf({ http, bare }: Submitters, request: Pick<HttpRequest, 'concurrency' | 'seconds'>) {
  const rate = async (result: Promise<LoopResult>): Promise<number> => (await result).perSecond;
  return {
    bare: () => rate(bare(request)),
    submit: () => rate(http({ ...request, keyed: false })),
    keyed: () => rate(http({ ...request, keyed: true })),
  };
}

async function measure(submitters: Submitters, log: BenchOptions['log']): Promise<Findings> {
  const rows: string[][] = [];
  const measured = [];
  for (const concurrency of connections) {
    const { samples, ratio } = await measurePaired(ratesOf(submitters, { concurrency, seconds: 2 }), {
      repetitions: 6,
    });
    const ratios = { submit: ratio('submit', 'bare'), keyed: ratio('keyed', 'bare') };
    measured.push({ ...ratios, most: median(samples.submit) });
    log(`${concurrency} at once: ${round(ratios.submit)} × bare, with a key ${round(ratios.keyed)} ×`);
    rows.push(
      [`${concurrency}`, 'bare start', spread(samples.bare, round), '1'],
      [`${concurrency}`, 'submit', spread(samples.submit, round), round(ratios.submit)],
      [`${concurrency}`, 'submit with a key', spread(samples.keyed, round), round(ratios.keyed)],
    );
  }
  const [at16] = measured;
  if (!at16) throw new RangeError('nothing was measured');
  const late = await measureLatency(submitters, at16.most * partialLoad);
  const p99 = quantile(late.submit, 0.99);
  log(`at 70 %: p99 ${round(p99)} ms`);
  const shares = await measureShares(submitters);
  const readBack = await submitters.http({ concurrency: 16, seconds: readBackSeconds, keyed: true, readBack: true });
  return {
    targets: [
      target('rate of submissions, by that of bare starts', at16.submit, { atLeast: 0.85 }, ' ×'),
      target('the same with an idempotency key', at16.keyed, { atLeast: 0.85 }, ' ×'),
      target('p99 of a submission at 70 % of the most', p99, { atMost: 50 }, ' ms'),
      target(`goals not readable right after their 202, of ${readBack.latenciesMs.length}`, readBack.unreadable, {
        atMost: 0,
      }),
    ],
    tables: [
      { title: 'Starts a second', columns: ['at once', 'call', 'median (spread)', '× bare'], rows },
      latencyTable(at16.most * partialLoad, late),
      shares,
    ],
    notes: [
      'Nearly all of a submission is the server’s: the callers wait for one SQLite file.',
      `Why the tail: at that rate the bare engine's own p99 is ${round(quantile(late.bare, 0.99))} ms, since each start is 5 ms of the
server's work and queues for its one SQLite file; random arrivals at 70 % of what a queue can serve wait for several of their like.
The API adds 1.2 ms of processor time, and two more processes that have to be given one of two busy cores.`,
      `Won: a body of known length is not made a web stream, and a submission without a key is not hashed (0.1 ms of the API's processor
time each).`,
    ],
    ratios: { submit_rate: at16.submit },
  };
}

interface Late {
  readonly submit: readonly number[];
  readonly bare: readonly number[];
}

/** In turn, as the rates. */
async function measureLatency({ http, bare }: Submitters, perSecond: number): Promise<Late> {
  const request = { concurrency: 64, seconds: openSeconds / 4, perSecond };
  const submit: number[] = [];
  const starts: number[] = [];
  for (let turn = 0; turn < 4; turn += 1) {
    submit.push(...(await http({ ...request, keyed: false })).latenciesMs);
    starts.push(...(await bare(request)).latenciesMs);
  }
  return { submit, bare: starts };
}

function latencyTable(perSecond: number, late: Late): Table {
  const row = (call: string, latencies: readonly number[]): string[] => [
    call,
    ...[0.5, 0.95, 0.99].map((q) => round(quantile(latencies, q))),
    round(Math.max(...latencies)),
  ];
  return {
    title: `Latency at ${round(perSecond)} arrivals a second, ms`,
    columns: ['call', 'p50', 'p95', 'p99', 'longest'],
    rows: [row('submit', late.submit), row('bare start', late.bare)],
  };
}
