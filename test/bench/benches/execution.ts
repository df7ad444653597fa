import { round, target, type Bench, type BenchOptions, type Findings, type Table } from '../harness/bench.ts';
import { measurePaired, type Paired } from '../harness/paired.ts';
import { median, quantile, spread } from '../harness/statistics.ts';
import type { Engine } from '../execution/engine-protocol.ts';
import { startEngines, type Engines, type Measurement } from '../execution/engines.ts';
import { tasksOf, type Work } from '../execution/work.ts';

const method = `
One and 16 goals at once: a diamond of ten tasks that do nothing (1 → 8 → 1), and a map of 100. On the local stack's servers run,
in turn, Astra with tasks that must not happen twice (an activity each), with tasks that may (they are quick, so those that are ready
together share activities), with tasks without effects (segments), a workflow written by hand with one activity a task, the same with local activities, and an empty workflow, which is the floor. Those by hand have the best settings known to us
(eager start, eager dispatch for 100 activities, a cache for all workflows) and record nothing; Astra records every event in Postgres,
with fsync, and shows it in Redis before the task counts as done. Workers and clients share one connection, so that all get eager starts. Servers, worker and client share the machine.
`;

/** Runs of one kind: what they are compared by, and how many goals one takes. */
interface Series {
  readonly work: Work;
  readonly atOnce: number;
  readonly goals: Readonly<Record<Engine, number>>;
}

const few = { activities: 30, once: 30, effects: 30, local: 60, pure: 100 } as const;
const series: readonly Series[] = [
  { work: 'diamond', atOnce: 16, goals: { activities: 100, once: 100, effects: 150, local: 200, pure: 300 } },
  { work: 'diamond', atOnce: 1, goals: few },
  { work: 'map', atOnce: 16, goals: { activities: 24, once: 24, effects: 48, local: 48, pure: 160 } },
  { work: 'map', atOnce: 1, goals: { activities: 8, once: 8, effects: 12, local: 12, pure: 30 } },
];

const names: Readonly<Record<Engine | 'empty', string>> = {
  activities: 'by hand, activities',
  local: 'by hand, local activities',
  once: 'Astra, an activity each',
  effects: 'Astra, quick effects',
  pure: 'Astra, no effects',
  empty: 'an empty workflow',
};

type Name = Engine | 'empty';

interface Measured {
  readonly series: Series;
  /** Goals a second. */
  readonly rates: Paired<Name>;
  readonly runs: Readonly<Record<Name, readonly (Measurement & { readonly goals: number })[]>>;
}

async function measureSeries(engines: Engines, each: Series, { quick }: BenchOptions): Promise<Measured> {
  const runs: Record<Name, (Measurement & { goals: number })[]> = {
    activities: [],
    once: [],
    effects: [],
    local: [],
    pure: [],
    empty: [],
  };
  const run = (name: Name) => async (): Promise<number> => {
    const { atOnce } = each;
    const [engine, work] = name === 'empty' ? (['activities', 'empty'] as const) : ([name, each.work] as const);
    const all = name === 'empty' ? (atOnce === 1 ? 100 : 300) : each.goals[name];
    const goals = quick ? Math.ceil(all / 4) : all;
    const measured = await engines.run({ engine, work, goals, atOnce });
    runs[name].push({ ...measured, goals });
    return goals / measured.seconds;
  };
  const variants = {
    activities: run('activities'),
    once: run('once'),
    effects: run('effects'),
    local: run('local'),
    pure: run('pure'),
    empty: run('empty'),
  };
  const rates = await measurePaired(variants, { repetitions: quick ? 2 : 3, warmUps: 1 });
  return { series: each, rates, runs };
}

const latencyMs = ({ runs }: Measured, name: Name): number =>
  median(runs[name].slice(1).map(({ latenciesMs }) => median(latenciesMs)));

function tableOf(measured: Measured): Table {
  const {
    series: { work, atOnce },
    rates,
    runs,
  } = measured;
  const rows = (Object.keys(names) as Name[]).map((name) => {
    // its own keys
    const tasks = name === 'empty' ? tasksOf.empty : tasksOf[work];
    const latencies = runs[name].slice(1).flatMap((run) => run.latenciesMs);
    const perGoal = (seconds: (run: Measurement) => number): string =>
      round(median(runs[name].slice(1).map((run) => (seconds(run) * 1_000) / run.goals)));
    return [
      names[name],
      spread(
        rates.samples[name].map((rate) => rate * tasks),
        round,
      ),
      spread(rates.samples[name], round),
      `${round(median(latencies))}, ${round(quantile(latencies, 0.95))}`,
      perGoal((run) => run.cpuSeconds),
      perGoal((run) => run.serverCpuSeconds.temporal),
      perGoal((run) => run.serverCpuSeconds.postgres + run.serverCpuSeconds.redis),
    ];
  });
  return {
    title: `${work === 'map' ? 'Map of 100' : 'Diamond of 10'}, ${atOnce === 1 ? 'alone' : `${atOnce} goals at once`}`,
    columns: [
      '',
      'tasks/s',
      'goals/s',
      'latency of a goal p50, p95, ms',
      'processor ms a goal: worker',
      'Temporal',
      'Postgres and Redis',
    ],
    rows,
  };
}

function targetsOf([diamond, alone, map]: readonly Measured[]): Findings['targets'] {
  if (!diamond || !alone || !map) return [];
  const ofHand = (measured: Measured, name: Engine): number => measured.rates.ratio(name, 'activities');
  const latency = (name: Engine): number => latencyMs(alone, name) / latencyMs(alone, 'activities');
  return [
    target(
      'diamond, an activity each: tasks/s, of the workflow by hand',
      ofHand(diamond, 'once'),
      { atLeast: 0.9 },
      ' ×',
    ),
    target('map, an activity each: tasks/s, of the workflow by hand', ofHand(map, 'once'), { atLeast: 0.9 }, ' ×'),
    target(
      'diamond, an activity each: latency alone, of the workflow by hand',
      latency('once'),
      { atMost: 1.15 },
      ' ×',
    ),
    target(
      'diamond of quick effects: tasks/s, of the workflow by hand',
      ofHand(diamond, 'effects'),
      { atLeast: 0.9 },
      ' ×',
    ),
    target('map of quick effects: tasks/s, of the workflow by hand', ofHand(map, 'effects'), { atLeast: 0.9 }, ' ×'),
    target(
      'diamond of quick effects: latency alone, of the workflow by hand',
      latency('effects'),
      { atMost: 1.15 },
      ' ×',
    ),
    target('diamond without effects: tasks/s, of the workflow by hand', ofHand(diamond, 'pure'), { atLeast: 3 }, ' ×'),
    target('map without effects: tasks/s, of the workflow by hand', ofHand(map, 'pure'), { atLeast: 8 }, ' ×'),
    target(
      'diamond without effects: goals/s, of empty workflows',
      diamond.rates.ratio('pure', 'empty'),
      { atLeast: 0.85 },
      ' ×',
    ),
  ];
}

const notes = [
  `Where an activity each falls short. Of a map of 100 a goal takes the server 286 ms of processor time (272 by hand), the worker 159
(109) and Postgres and Redis 31 (1): 1.25 × in all, and two cores are all there is. The worker's part is the expressions of each item
and the rows of its record, Postgres' the group commits that make 100 ends durable. Alone a diamond waits for four or five commits in a row,
1 to 2 ms each from the worker's call to its answer, 0.9 ms of that Postgres' own work and 0.2 ms its fsync.`,
  `Where the diamond without effects falls short of DBOS as quoted for such a machine (1,820 tasks/s): it runs at the pace of empty
workflows, whose start and end alone take the server 10 ms of processor time.`,
  `Won: quick tasks without effects in segments, the first of them in the activity that plans the goal, with one commit for all
([0005](../adr/0005-quick-tasks-run-in-segments.md), [0014](../adr/0014-one-commit-for-a-quick-goal.md)); up to 16 quick tasks with
effects in one activity, each recorded by itself (the map 0.82 × → 6.2 ×); commits shared between the goals of a worker; no promise hooks
in the workflow threads; one search attribute less to update a goal (an eighth of the server's work).`,
  `Lost: without a heartbeat time-out the server would take 4 ms less of 55 for a diamond, but a dead worker would be noticed after
minutes instead of three seconds. More workflow threads, more pollers and an activity cache brought nothing on two cores.`,
];

export const executionBench: Bench = {
  name: 'execution',
  title: 'Execution',
  method,
  doesNotShow: [
    'Tools that do something: what they cost comes on top, for Astra and by hand alike.',
    'Clusters: with servers of their own the worker gets both cores, and Postgres its own disk.',
    'Goals that are started through the API, which cannot start them eagerly: see Submit.',
  ],
  async run(options) {
    const engines = await startEngines();
    try {
      const measured: Measured[] = [];
      for (const each of options.quick ? series.filter(({ atOnce }) => atOnce > 1) : series) {
        options.log(`${each.work}, ${each.atOnce} at once`);
        measured.push(await measureSeries(engines, each, options));
      }
      const [diamond, other] = measured;
      const map = measured.find(({ series: { work, atOnce } }) => work === 'map' && atOnce > 1) ?? other;
      const ratio = (each: Measured | undefined, name: Name, to: Name): number =>
        each?.rates.ratio(name, to) ?? Number.NaN;
      return {
        targets: targetsOf(measured),
        tables: measured.map(tableOf),
        notes,
        ratios: {
          diamond_once: ratio(diamond, 'once', 'activities'),
          diamond_effects: ratio(diamond, 'effects', 'activities'),
          diamond_pure: ratio(diamond, 'pure', 'activities'),
          diamond_floor: ratio(diamond, 'pure', 'empty'),
          map_once: ratio(map, 'once', 'activities'),
          map_effects: ratio(map, 'effects', 'activities'),
          map_pure: ratio(map, 'pure', 'activities'),
        },
      };
    } finally {
      await engines.stop();
    }
  },
};
