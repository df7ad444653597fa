import { round, target, type Bench, type BenchOptions, type Findings, type Table } from '../harness/bench.ts';
import { measurePaired } from '../harness/paired.ts';
import { median, spread } from '../harness/statistics.ts';
import { startCounting } from '../reads/count-reads.ts';
import type { LoadFigures } from '../reads/http-load.ts';
import { seededSeq } from '../reads/seed-goals.ts';
import { startServers, type Servers } from '../reads/start-servers.ts';

export const readsBench: Bench = {
  name: 'reads',
  title: 'Reading goals',
  method: `\`GET /v1/goals/{id}\` with a token, of 10,000 goals in turn, over 16 connections. The API is a process on one core; the load
and Redis share the other. Beside it, on the same server library and with answers of the same size, Hono with one handler
that looks at no token: it answers with a constant, or with the value of one \`GET\` in Redis. The API is measured without memory
(\`ASTRA_VIEW_MEMORY_MIB=0\`: each read asks Redis) and as it is.`,
  doesNotShow: [
    'Goals that change while they are read: each change costs the next reader a question to Redis.',
    'TLS, a network, or clients that open a connection for each request.',
    'Graphs, tasks, lists and events, which go through routing and validation.',
  ],
  run,
};

/** µs of one core, by CPU profiles of the API and of its peer under the same load. */
const lessons = [
  `What won: an answer ahead of routing, validation and middleware (from 0.24 × a bare GET to 0.6: the check of the body's size
alone made a web \`Request\` of each read); links of which only the id is filled in (2 µs); counters that prom-client sees at a
scrape only (2 µs); a token compared with the last one of its connection instead of hashed (1.7 µs); headers as Node has
parsed them (1.4 µs); views that are kept in one piece (0.5 µs).`,
  `What lost: bodies as buffers and a plain map instead of the LRU (no difference: what costs is that each of 10,000 views is cold
in the processor's caches, 3 µs); tokens as keys of the cache (0.2 µs less than their hash, and a heap dump would hold them);
keys without the tenant (0.2 µs).`,
];

const seconds = 2;
const repetitions = 7;

async function run({ quick, log }: BenchOptions): Promise<Findings> {
  const servers = await startServers();
  try {
    return quick ? await measureRatios(servers) : await measure(servers, log);
  } finally {
    await servers.stop();
  }
}

/** Requests a second of the variants, and what else was found at each run. */
function createRates({ load, ...servers }: Servers, options: { readonly seconds: number }) {
  const figures = new Map<string, LoadFigures[]>();
  const rateOf =
    (name: string, { url }: Servers['memory'], ifNoneMatch?: string) =>
    async (): Promise<number> => {
      const found = await load.run({ url, ...options, ...(ifNoneMatch !== undefined && { ifNoneMatch }) });
      if (found.failed > 0) throw new Error(`${found.failed} of ${found.requests} requests to ${name} failed`);
      figures.set(name, [...(figures.get(name) ?? []), found]);
      return found.requests / found.seconds;
    };
  const etag = `"${seededSeq}"`;
  const variants = {
    constant: rateOf('constant', servers.constant),
    memory: rateOf('memory', servers.memory),
    get: rateOf('get', servers.get),
    redis: rateOf('redis', servers.redis),
  };
  const unchanged = {
    memory304: rateOf('memory304', servers.memory, etag),
    redis304: rateOf('redis304', servers.redis, etag),
  };
  /** The median over the measured runs. */
  const typical = (name: string, figure: (found: LoadFigures) => number): number =>
    median((figures.get(name) ?? []).slice(-repetitions).map(figure));
  return { variants, unchanged, typical };
}

async function measureRatios(servers: Servers): Promise<Findings> {
  const { variants } = createRates(servers, { seconds: 1 });
  const { ratio } = await measurePaired(variants, { repetitions: 2 });
  const ratios = { reads_from_redis: ratio('redis', 'get'), reads_from_memory: ratio('memory', 'constant') };
  return { targets: [], tables: [], notes: [], ratios };
}

async function measure(servers: Servers, log: BenchOptions['log']): Promise<Findings> {
  const { variants, unchanged, typical } = createRates(servers, { seconds });
  const asked = await startCounting([servers.redis, servers.memory]);
  const { samples, ratio } = await measurePaired({ ...variants, ...unchanged }, { repetitions, warmUps: 2 });
  const ratios = { reads_from_redis: ratio('redis', 'get'), reads_from_memory: ratio('memory', 'constant') };
  const p99Ms = typical('redis', (found) => found.p99Ms);
  log(
    `${round(ratios.reads_from_redis)} × a bare GET, ${round(ratios.reads_from_memory)} × a constant, p99 ${p99Ms} ms`,
  );
  const { memory, redis, postgres } = await asked();

  const rows: readonly (readonly [keyof typeof samples, string, string])[] = [
    ['constant', 'bare: a constant', '1'],
    ['memory', 'the API, from memory', round(ratio('memory', 'constant'))],
    ['memory304', 'the same, `304`', round(ratio('memory304', 'constant'))],
    ['get', 'bare: one GET', '1'],
    ['redis', 'the API, from Redis', round(ratio('redis', 'get'))],
    ['redis304', 'the same, `304`', round(ratio('redis304', 'get'))],
  ];
  const table: Table = {
    title: `Requests a second on one core, ${servers.answerBytes} bytes each`,
    columns: ['', 'requests/s', 'by the bare one', 'p50, ms', 'p99, ms'],
    rows: rows.map(([name, title, by]) => [
      title,
      spread(samples[name], round),
      by,
      round(typical(name, (found) => found.p50Ms)),
      round(typical(name, (found) => found.p99Ms)),
    ]),
  };
  return {
    targets: [
      target('reads from Redis, by a bare GET', ratios.reads_from_redis, { atLeast: 0.8 }, ' ×'),
      target('p99 of reads from Redis', p99Ms, { atMost: 10 }, ' ms'),
      target('reads from memory, by a bare constant', ratios.reads_from_memory, { atLeast: 0.8 }, ' ×'),
      target('queries to Postgres', postgres, { atMost: 0 }),
    ],
    tables: [table],
    notes: [
      `Load by ${servers.load.generator}. The API was asked ${round(memory + redis)} times; ${round(memory)} answers came from memory.`,
      ...lessons,
    ],
    ratios,
  };
}
