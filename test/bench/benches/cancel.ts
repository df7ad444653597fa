import { setTimeout as sleep } from 'node:timers/promises';
import type { Stack } from '../../../infra/local/stack.ts';
import type { GoalSubmission } from '../../../sdk/index.ts';
import { processesWith } from '../../support/e2e/host-processes.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { until } from '../../support/until.ts';
import { startDownloadServer, type DownloadServer } from '../cancel/download-server.ts';
import { openLanes, type Lane, type Lanes } from '../cancel/lanes.ts';
import { round, target, type Bench, type BenchOptions, type Findings } from '../harness/bench.ts';
import { quantile } from '../harness/statistics.ts';

const repetitions = 5;
const lookEveryMs = 10;
/** Sleeping commands take the slots of the sandbox: there are eight. */
const shells = 8;
const downloads = 22;
const items = 20;
/** A map this wide runs in child workflows, 500 items each. */
const wideItems = 600;
const tasks = shells + downloads + items;

const kinds = ['sleeping command', 'download', 'item of a wide map'] as const;
type Kind = (typeof kinds)[number];
type Samples = Record<Kind, number[]>;

export const cancelBench: Bench = {
  name: 'cancel',
  title: 'Cancel',
  method: `${tasks} tasks of one goal run: ${shells} sleeping commands in the sandbox, ${downloads} downloads that never end and ${items} items, downloads too, of a map of
${wideItems} items, which runs in a child workflow. The goal is cancelled; measured is, for each of them, from the call until its process is gone or its
connection closed, as seen from outside every ${lookEveryMs} ms. With the fast lane the call is the API's; without it the goal's workflow gets the
same signal and the workers are told nothing. ${repetitions} times each, in turn.`,
  doesNotShow: [
    'Tools that ignore their signal: their tasks end as fast, what they do does not.',
    'A network between the API, Redis and the workers: all is on one machine.',
    'The end of the goal, which comes later: once all of it is recorded.',
  ],
  async run({ quick, log }) {
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const server = await startDownloadServer();
    const env = { ...process.env, ASTRA_EGRESS_ALLOW: '127.0.0.1' };
    const stack: Stack = await startTestStack({ processes: 'all', env });
    const lanes = await openLanes(stack);
    try {
      return await measure(lanes, server, log);
    } finally {
      await lanes.close();
      await stack.stop();
      await server.stop();
    }
  },
};

async function measure(lanes: Lanes, server: DownloadServer, log: BenchOptions['log']): Promise<Findings> {
  const found: Record<Lane, Samples> = { fast: noSamples(), heartbeats: noSamples() };
  for (let repetition = -1; repetition < repetitions; repetition += 1) {
    for (const lane of ['fast', 'heartbeats'] as const) {
      const samples = await cancelOnce(lanes, server, lane);
      log(`${lane}: ${kinds.map((kind) => `${kind} ${round(Math.max(...samples[kind]))} ms`).join(', ')}`);
      // The first one warms up.
      if (repetition >= 0) for (const kind of kinds) found[lane][kind].push(...samples[kind]);
    }
  }
  const all = (lane: Lane): number[] => kinds.flatMap((kind) => found[lane][kind]);
  const columns = ['', 'kind', 'tasks', 'p50, ms', 'p99, ms', 'longest, ms'];
  const names: Record<Lane, string> = { fast: 'with the fast lane', heartbeats: 'heartbeats alone' };
  return {
    targets: [
      target(`${tasks} running tasks quiesce (p99)`, quantile(all('fast'), 0.99) / 1_000, { atMost: 2 }, ' s'),
      target('by heartbeats alone (p99)', quantile(all('heartbeats'), 0.99) / 1_000, { atMost: 2 }, ' s'),
    ],
    tables: [
      {
        title: 'From the call until the task does nothing any more',
        columns,
        rows: (['fast', 'heartbeats'] as const).flatMap((lane) =>
          kinds.map((kind) => {
            const samples = found[lane][kind];
            const figures = [quantile(samples, 0.5), quantile(samples, 0.99), Math.max(...samples)];
            return [names[lane], kind, String(samples.length), ...figures.map(round)];
          }),
        ),
      },
    ],
    notes: [],
    ratios: {},
  };
}

const noSamples = (): Samples => ({ 'sleeping command': [], download: [], 'item of a wide map': [] });

/** @returns for each task how many milliseconds it lived on after the call */
async function cancelOnce(lanes: Lanes, server: DownloadServer, lane: Lane): Promise<Samples> {
  const mark = `300.${Date.now()}`;
  const { id } = await lanes.astra.goals.submit(busyGoal(server.url, mark));
  const running = async (): Promise<readonly string[]> => [
    // The shell, without bubblewrap's own processes around it.
    ...(await processesWith(`sleep\u0000${mark}`)).map((pid) => `command ${pid}`),
    ...server.open,
  ];
  await until(async () => (await running()).length >= tasks, `${tasks} tasks run`, { timeoutSeconds: 60 });
  const alive = new Set(await running());
  const samples = noSamples();
  const calledAt = performance.now();
  const call = lanes.cancel[lane](id);
  while (alive.size > 0) {
    const now = new Set(await running());
    for (const name of alive) {
      if (now.has(name)) continue;
      alive.delete(name);
      samples[kindOf(name)].push(performance.now() - calledAt);
    }
    await sleep(lookEveryMs);
  }
  await call;
  await lanes.astra.goals.result(id, { timeoutMs: 60_000 });
  return samples;
}

const kindOf = (name: string): Kind =>
  name.startsWith('command') ? 'sleeping command' : name.startsWith('/wide') ? 'item of a wide map' : 'download';

function busyGoal(url: string, mark: string): GoalSubmission {
  const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, number) => number);
  return {
    plan: {
      tasks: [
        ...numbers(shells).map((n) => ({
          id: `nap${n}`,
          kind: 'tool' as const,
          tool: 'shell.run',
          input: { command: `sleep ${mark}` },
        })),
        ...numbers(downloads).map((n) => ({
          id: `download${n}`,
          kind: 'tool' as const,
          tool: 'http.fetch',
          input: { url: `${url}/single/${n}` },
        })),
        {
          id: 'wide',
          kind: 'map',
          over: 'goal.input.items',
          maxConcurrency: items,
          task: { kind: 'tool', tool: 'http.fetch', input: { url: `${url}/wide/{{ item }}` } },
        },
      ],
    },
    input: { items: [...numbers(wideItems)] },
  };
}
