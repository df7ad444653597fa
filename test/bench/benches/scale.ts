import { join } from 'node:path';
import { round, target, type Bench, type Table, type Target } from '../harness/bench.ts';
import { spread } from '../harness/statistics.ts';
import { startGoalMeter } from '../scale/goal-meter.ts';
import {
  grossTaskMilliseconds,
  growth,
  measureShapes,
  medianSeconds,
  netTaskMilliseconds,
  sizesOf,
  type ShapeFigures,
} from '../scale/measure-shapes.ts';
import { shapes } from '../scale/shapes.ts';

const toolModules = join(import.meta.dirname, '../execution/tools.ts');

/** What a task costs in small and in large goals. */
export const scaleBench: Bench = {
  name: 'scale',
  title: 'Size of a goal',
  method: `
Goals of pure tasks that do nothing, alone on a fresh local stack, one after the other, small and large in turn: maps over a list
that a task makes, graphs of tasks side by side, chains. A _map of scripts_ runs \`code.javascript\` for each item. Seconds are the
client's, from its submission until it has the result. _Net_ is the time a task takes without what a goal costs that has none:
the medians' difference to a map of no items, to a graph of one task. History events and the worker's resident memory are the
greatest of all runs; the worker is the same for all of them, so its memory includes what it keeps of earlier goals.`,
  doesNotShow: [
    'Tasks with effects: how large goals of those have been run is in [limits](limits.md).',
    'Items with large inputs or outputs: these are integers and empty objects.',
    'Several such goals at once.',
  ],
  async run({ quick, log }) {
    const meter = await startGoalMeter(toolModules);
    try {
      const figures = await measureShapes(meter, shapes, { quick });
      for (const each of figures)
        log(`${each.shape.name}: a task takes ${round(growth(each, netTaskMilliseconds))} × as long at the largest`);
      const ratios = Object.fromEntries(
        figures.map((each) => [`scale_${each.shape.name.replaceAll(' ', '_')}`, 1 / growth(each, netTaskMilliseconds)]),
      );
      if (quick) return { targets: [], tables: [], notes: [], ratios };
      return { targets: targetsOf(figures), tables: [tableOf(figures)], notes, ratios };
    } finally {
      await meter.stop();
    }
  },
};

function targetsOf(figures: readonly ShapeFigures[]): Target[] {
  const all = figures.flatMap(({ runs }) => [...runs.values()].flat());
  const largest = (name: 'historyEvents' | 'peakMiB'): number => Math.max(...all.map((run) => run[name]));
  const maps = figures.filter(({ shape }) => shape.name.startsWith('map'));
  return [
    ...figures.map((each) => {
      const sizes = sizesOf(each);
      const what = `${each.shape.name}: time a task at ${count(sizes.at(-1))} to that at ${count(sizes[0])}`;
      return target(what, growth(each, grossTaskMilliseconds), { atMost: 1.3 });
    }),
    ...maps.map((each) => target(`${each.shape.name} of 10,000`, medianSeconds(each, 10_000), { atMost: 5 }, ' s')),
    target('history events of a goal, all sizes', largest('historyEvents'), { atMost: 500 }),
    target('worker memory at its peak, all sizes', largest('peakMiB'), { atMost: 2_048 }, ' MiB'),
  ];
}

function tableOf(figures: readonly ShapeFigures[]): Table {
  const rows = figures.flatMap((each) =>
    [each.shape.base, ...sizesOf(each)].map((size) => {
      const runs = each.runs.get(size) ?? [];
      const greatest = (of: 'historyEvents' | 'runs' | 'peakMiB'): string =>
        count(Math.max(...runs.map((run) => run[of])));
      const isBase = size === each.shape.base;
      return [
        each.shape.name,
        count(size),
        spread(
          runs.map(({ seconds }) => seconds),
          (seconds) => seconds.toFixed(3),
        ),
        isBase ? '' : round(grossTaskMilliseconds(each, size)),
        isBase ? '' : round(netTaskMilliseconds(each, size)),
        `${greatest('historyEvents')} in ${greatest('runs')}`,
        greatest('peakMiB'),
      ];
    }),
  );
  return {
    title: 'Goals by size: median and extremes',
    columns: ['goal', 'tasks', 'seconds', 'ms a task', 'ms a task, net', 'history events in runs', 'worker MiB'],
    rows,
  };
}

const count = (value: number | undefined): string => (value ?? 0).toLocaleString('en');

const notes = [
  `The targets are of the whole time. Net, that is without what any goal costs, hundred items of a map flatter themselves: they go into
the one commit and the one message that the goal needs anyway, and cost it 2 to 3 ms. From 1,000 to 50,000 the net time of an item
stays what it is. A task of a wide graph of 10,000 takes 1.6 × the net time of one of 1,000: its ids and outcomes pass through the
workflow in four segments, and are read and written with each.`,
  `What this bench found, before and after (2 cores, November 2026). On a fresh database a map of 50,000 took 41 s and takes 2.4 s:
Postgres planned the question which items are recorded already as a join that read all of the goal's rows, each time; now each row
is found by its key, and none is looked for while the goal has not moved. 10,000 tasks side by side never ended and take 1.5 s:
those beyond the first 1,000 went to activities of their own; now they wait for the next segment. 2,000 tasks with effects side by
side took 12 s and take 6 s: the server failed every workflow task during which more than 100 events had come in
([limits](limits.md)).`,
  `The worker's peak is what V8 allows itself on a machine with room, not what it needs: with \`--max-old-space-size=400\` the same
goals, and maps of 100,000 items, peaked at 0.9 GiB and took a fifth to a third longer. What it holds once the garbage is gone is
in [memory over time](#leak).`,
];
