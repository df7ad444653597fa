import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { createPortAllocator } from '../../../infra/local/ports.ts';
import type { Stack } from '../../../infra/local/stack.ts';
import { round, target, type Bench, type BenchOptions, type Findings, type Target } from '../harness/bench.ts';
import { median, quantile } from '../harness/statistics.ts';
import { createPublisher, type Publisher } from '../streams/publisher.ts';
import type { ReadersAnswer, ReadersRequest } from '../streams/stream-readers.ts';
import { startStreamServer, type StreamServer } from '../streams/stream-server.ts';
import { startBenchChild } from '../submit/bench-child.ts';

const streams = 2_000;
const warmUps = 2;
/** Each case is measured so often, in turn. */
const passes = 2;
const rounds = 12;
const betweenMs = 150;
const deliveryTimeoutMs = 10_000;

export const streamsBench: Bench = {
  name: 'streams',
  title: 'Event streams',
  method: `${streams.toLocaleString('en')} streams (\`GET /v1/goals/{id}/events\`) are open on one API process, held by another process. A third one records events
as a worker does. The latency is from the time that an event bears, which is before its commit, until a reader's socket has it. The
peer is an HTTP server that writes what it hears from Redis to every open stream, and does nothing else. Memory is the process's
resident memory, its garbage collected, with the streams open and before.`,
  doesNotShow: [
    'Networks and TLS: all is on one machine, the 2,000 sockets of the readers too.',
    'Readers that are slow. They hold back nobody: a stream that is not read is not written to, and goes on from where it stood.',
    'Output of running tasks; the live lane is woken by Redis alike, and reads Redis instead of Postgres.',
  ],
  async run({ quick, log }) {
    // There is no paired ratio that a short run could tell.
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const stack = await startTestStack();
    const publisher = await createPublisher(stack.env);
    try {
      return await measure({ stack, publisher, log });
    } finally {
      await publisher.close();
      await stack.stop();
    }
  },
};

interface Parts {
  readonly stack: Stack;
  readonly publisher: Publisher;
  readonly log: BenchOptions['log'];
}

interface Case {
  readonly name: string;
  readonly goals: number;
  /** Of the goals, how many have an event in each round. */
  readonly moving: number;
  readonly isPeer?: true;
}
const cases: readonly Case[] = [
  { name: 'all of one goal', goals: 1, moving: 1 },
  { name: 'of 200 goals, all of which move', goals: 200, moving: 200 },
  { name: 'of 2,000 goals, 200 of which move', goals: 2_000, moving: 200 },
  { name: 'peer: all alike', goals: 1, moving: 1, isPeer: true },
];

interface CaseFigures {
  readonly latenciesMs: readonly number[];
  readonly missed: number;
  readonly memoryKiB: number;
  readonly openSeconds: number;
}

async function measure(parts: Parts): Promise<Findings> {
  const measured: { readonly of: Case; readonly figures: CaseFigures }[] = [];
  for (let pass = 0; pass < passes; pass += 1) {
    for (const each of pass % 2 === 0 ? cases : cases.toReversed()) {
      const figures = await measureCase(parts, each);
      parts.log(
        `${each.name}: p99 ${quantile(figures.latenciesMs, 0.99)} ms, ${round(figures.memoryKiB)} KiB a stream`,
      );
      measured.push({ of: each, figures });
    }
  }
  const merged = cases.map((each) => ({
    ...each,
    ...merge(measured.filter(({ of }) => of === each).map(({ figures }) => figures)),
  }));
  const columns = [
    'streams',
    'deliveries',
    'p50, ms',
    'p99, ms',
    'longest, ms',
    'memory a stream, KiB',
    'all opened in, s',
  ];
  const rows = merged.map(({ name, latenciesMs, memoryKiB, openSeconds }) => {
    const lateness = [quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99), Math.max(...latenciesMs)];
    return [name, latenciesMs.length.toLocaleString('en'), ...[...lateness, memoryKiB, openSeconds].map(round)];
  });
  return {
    targets: merged.filter(({ isPeer }) => !isPeer).flatMap(targetsOf),
    tables: [{ title: `${streams.toLocaleString('en')} open streams`, columns, rows }],
    notes: [
      `Won: streams of a goal that stand at the same place share one read of both lanes and its text (p99 of all of one goal 400 → 100
ms). Memory is mostly what opening leaves behind: 16 KiB a stream is live heap, the rest V8 keeps for later.`,
      `A stream also looks at the record every 5 s, in case a wake-up was lost: 2,000 idle streams of as many goals cost 0.15 of a core.`,
    ],
    ratios: {},
  };
}

const merge = (figures: readonly CaseFigures[]): CaseFigures => ({
  latenciesMs: figures.flatMap(({ latenciesMs }) => latenciesMs),
  missed: figures.reduce((sum, { missed }) => sum + missed, 0),
  memoryKiB: median(figures.map(({ memoryKiB }) => memoryKiB)),
  openSeconds: median(figures.map(({ openSeconds }) => openSeconds)),
});

const targetsOf = ({ name, latenciesMs, missed }: Case & CaseFigures): readonly Target[] => [
  target(`an event reaches its streams, ${name}: p99`, quantile(latenciesMs, 0.99), { atMost: 250 }, ' ms'),
  target(`events that did not reach a stream, ${name}`, missed, { atMost: 0 }),
];

/** On a process of its own, so that the memory is that of these streams. */
async function measureCase({ stack, publisher }: Parts, { goals, moving, isPeer }: Case): Promise<CaseFigures> {
  const port = await createPortAllocator('any').take('api');
  const { guard } = stack;
  const env = { ...stack.env, ASTRA_RATE_LIMIT_PER_SECOND: '100000', BENCH_TOKEN: stack.connection.token };
  const script = isPeer ? 'test/bench/streams/bare-fan-out.ts' : 'api/main.ts';
  const server = await startStreamServer(script, { env, port, guard });
  const readers = await startBenchChild<ReadersRequest, ReadersAnswer>(
    join(import.meta.dirname, '../streams/stream-readers.ts'),
    { env, guard },
  );
  try {
    const all = await publisher.newGoals(goals);
    const goalIds = Array.from({ length: streams }, (_, index) => all[index % goals]?.goalId ?? '');
    const opened = await open(server, () => readers.ask({ kind: 'open', port, goalIds }));
    // What was recorded before they were opened is no news.
    await readers.ask({ kind: 'await', events: 0, timeoutMs: 0 });
    const publish = isPeer ? publisher.publishBare : () => publisher.publish(all.slice(0, moving));
    const latenciesMs: number[] = [];
    let missed = 0;
    const events = (streams / goals) * moving;
    for (let turn = -warmUps; turn < rounds; turn += 1) {
      const arrived = readers.ask({ kind: 'await', events, timeoutMs: deliveryTimeoutMs });
      await publish();
      const answer = await arrived;
      missed += events - answer.latenciesMs.length;
      if (turn >= 0) latenciesMs.push(...answer.latenciesMs);
      await sleep(betweenMs);
    }
    return { ...opened, latenciesMs, missed };
  } finally {
    readers.process.kill();
    await server.stop();
  }
}

async function open(
  server: StreamServer,
  openAll: () => Promise<unknown>,
): Promise<Pick<CaseFigures, 'memoryKiB' | 'openSeconds'>> {
  const before = await server.memoryKiB();
  const begun = performance.now();
  await openAll();
  const openSeconds = (performance.now() - begun) / 1_000;
  return { openSeconds, memoryKiB: ((await server.memoryKiB()) - before) / streams };
}
