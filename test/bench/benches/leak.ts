import { target, type Bench, type Table } from '../harness/bench.ts';
import { growthOf } from '../leak/growth.ts';
import { measureHeaps, type Phase, type Subject } from '../leak/measure-heaps.ts';

const phases = 10;
/** In these code is compiled and caches fill. */
const settling = 4;
const work = { goals: 500, reads: 20_000 };
const subjects: readonly Subject[] = ['api', 'worker'];
const count = (value: number): string => value.toLocaleString('en');

/** What API and worker keep of work that is over. */
export const leakBench: Bench = {
  name: 'leak',
  title: 'Memory over time',
  method: `
One API and one worker on a local stack, in ${phases} phases. In each, a process of its own has ${count(work.goals)} goals of four
scripts run, 32 at a time, and reads them ${count(work.reads)} times over 16 connections: ${count(phases * work.goals)} goals and
${count(phases * work.reads)} reads in all. After each phase both processes collect all their garbage and tell what is left: their
heap, Temporal's workflow thread and what buffers they hold. What they keep on purpose is bounded by configuration; here
\`ASTRA_VIEW_MEMORY_MIB\` is 1 and \`ASTRA_RECORD_MEMORY_MIB\` 8, so that it is full after ${settling} phases. _Growth_ is the slope of
the line through the ${phases - settling} phases that follow, times their number, to what is held at the end.`,
  doesNotShow: [
    'The resident memory of a process that has more: V8 grows its heap as long as the machine has room.',
    'Leaks of native code: they would show in the resident memory, to some MiB.',
    'Days: a leak of less than some 300 bytes a goal is not told from noise.',
  ],
  async run({ quick, log }) {
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const samples = await measureHeaps(phases, work, (phase) =>
      log(subjects.map((name) => `${name}: ${phase[name].heldMiB.toFixed(1)} MiB`).join(', ')),
    );
    const targets = subjects.map((name) => {
      const held = samples.map((phase) => phase[name].heldMiB);
      const later = held.slice(settling);
      const percent = (100 * growthOf(later) * later.length) / (later.at(-1) ?? Number.NaN);
      const what = `${name}: growth over the last ${count(later.length * work.goals)} goals and ${count(later.length * work.reads)} reads`;
      return target(what, percent, { atMost: 3 }, ' %');
    });
    return { targets, tables: [tableOf(samples)], notes, ratios: {} };
  },
};

const tableOf = (samples: readonly Phase[]): Table => ({
  title: 'At the end of each phase, MiB',
  columns: ['goals', 'reads', ...subjects.flatMap((name) => [`${name}: held`, `${name}: resident`])],
  rows: samples.map((phase, index) => [
    count((index + 1) * work.goals),
    count((index + 1) * work.reads),
    ...subjects.flatMap((name) => [phase[name].heldMiB.toFixed(1), phase[name].residentMiB.toFixed(0)]),
  ]),
});

const notes = [
  `With the worker's default of 256 MiB for what it has recorded, its heap grows by 6.7 kB for each of these goals until that is
full, some 25,000 goals later; its bound is not reached in a bench of minutes, so it is set to 8 MiB here.`,
];
