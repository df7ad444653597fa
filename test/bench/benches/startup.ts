import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { round, target, type Bench, type Table, type Target } from '../harness/bench.ts';
import { measurePaired } from '../harness/paired.ts';
import { median, spread } from '../harness/statistics.ts';
import { sdkImports } from '../startup/import-sdk.ts';
import { measureNpmStart } from '../startup/npm-start.ts';
import { prepareWorkerStarts } from '../startup/worker-start.ts';

export const startupBench: Bench = {
  name: 'startup',
  title: 'Start-up',
  method: `
\`npm start -- --no-example\` from the command to the line that says where the API is, with \`/readyz\` answering and a worker
running: in an empty state directory, where Postgres is initialised first, and in the same one again. The worker from the start
of its process to the first line of its first task's tool, with a goal that waits for it: with the workflow bundle and the
compiled sources that earlier starts have left (\`node_modules/.cache/astra\`), and without. The SDK: a new Node process that
imports it, less one that imports nothing, in turn.
`,
  doesNotShow: [
    'The first start of all, which installs the packages and fetches the servers: that is a matter of the network.',
    'A machine whose disk cache is cold: every file has been read moments before.',
  ],
  async run({ quick, log }) {
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const directory = await mkdtemp(join(tmpdir(), 'astra-bench-'));
    try {
      const parts = [await stack(directory, log), await worker(log), await sdk(directory)];
      return {
        targets: parts.flatMap((part) => part.targets),
        tables: parts.map((part) => part.table),
        notes,
        ratios: {},
      };
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};

const notes = [
  'The worker reads a workflow bundle that is named by everything it is made of (`worker/workflow-bundle.ts`), where webpack took 1.2 s at each start, and its modules from the compile cache of Node, which halves the processor time of their import (1,010 to 580 ms). Of what is left half is the import of `@temporalio/worker` itself.',
  "The SDK's package carries JavaScript. Its sources, which this repository runs as they are, wait for Node's type stripper to be loaded, as one line of TypeScript does, and come module by module.",
];

interface Part {
  readonly targets: readonly Target[];
  readonly table: Table;
}

const inSeconds = (value: number): string => `${round(value)} s`;
const inMilliseconds = (value: number): string => `${round(value)} ms`;

async function stack(directory: string, log: (line: string) => void): Promise<Part> {
  const empty: number[] = [];
  const again: number[] = [];
  // The first round is the warm-up.
  for (let repetition = 0; repetition < 4; repetition += 1) {
    const stateDir = join(directory, `state-${repetition}`);
    empty.push(await measureNpmStart(stateDir));
    again.push(await measureNpmStart(stateDir));
    log(`npm start: ${empty.at(-1)} s in an empty directory, ${again.at(-1)} s again`);
  }
  return {
    targets: [
      target(
        '`npm start` until ready, in an empty state directory (median)',
        median(empty.slice(1)),
        { atMost: 12 },
        ' s',
      ),
    ],
    table: {
      title: '`npm start` until ready',
      columns: ['', 'median (least–greatest)'],
      rows: [
        ['in an empty state directory', spread(empty.slice(1), inSeconds)],
        ['with its data', spread(again.slice(1), inSeconds)],
      ],
    },
  };
}

async function worker(log: (line: string) => void): Promise<Part> {
  const starts = await prepareWorkerStarts();
  try {
    const { samples } = await measurePaired(
      { kept: () => starts.first(), first: () => starts.firstEver() },
      { repetitions: 5 },
    );
    log(`worker: ${JSON.stringify(samples)}`);
    return {
      targets: [target('worker from its start to its first task (median)', median(samples.kept), { atMost: 3 }, ' s')],
      table: {
        title: 'Worker from the start of its process to its first task',
        columns: ['', 'median (least–greatest)'],
        rows: [
          ['as a rule', spread(samples.kept, inSeconds)],
          ['without what earlier starts have left', spread(samples.first, inSeconds)],
        ],
      },
    };
  } finally {
    await starts.close();
  }
}

async function sdk(directory: string): Promise<Part> {
  const { samples } = await measurePaired(await sdkImports(directory), { repetitions: 15, warmUps: 2 });
  const beyondNode = (name: keyof typeof samples): number[] =>
    samples[name].map((milliseconds, place) => milliseconds - (samples.node[place] ?? Number.NaN));
  return {
    targets: [
      target('import of the SDK beyond bare Node (median)', median(beyondNode('package')), { atMost: 50 }, ' ms'),
    ],
    table: {
      title: 'A new Node process, beyond one that does nothing',
      columns: ['imports', 'median (least–greatest)'],
      rows: [
        ['the SDK, from its package', spread(beyondNode('package'), inMilliseconds)],
        ["the SDK's sources", spread(beyondNode('sources'), inMilliseconds)],
        ['one line of TypeScript', spread(beyondNode('oneLine'), inMilliseconds)],
      ],
    },
  };
}
