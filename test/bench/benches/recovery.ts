import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { round, target, type Bench, type Findings } from '../harness/bench.ts';
import { measurePaired } from '../harness/paired.ts';
import { median, spread } from '../harness/statistics.ts';
import { startTestStack } from '../../support/stack/start-test-stack.ts';
import { createAstraSubject, toolModule } from '../recovery/astra-subject.ts';
import { measureRecovery, type Recovery, type Subject } from '../recovery/measure-recovery.ts';
import { bundlePeer, startPeer, type Peer, type TimeOuts } from '../recovery/peer-subject.ts';
import { goals, tasksOfGoal } from '../recovery/work.ts';

const repetitions = 3;
/** Of 500: after how many the worker is killed, warm-up first. */
const killsAfter = [200, 150, 200, 250];

const asWritten: TimeOuts = {
  activityOptions: { startToCloseTimeout: '10 seconds' },
  sticky: '10 seconds',
  workflowTaskTimeout: '10 seconds',
};
const asAstra: TimeOuts = {
  activityOptions: {
    startToCloseTimeout: '10 seconds',
    heartbeatTimeout: '3 seconds',
    retry: { initialInterval: '100 milliseconds' },
  },
  sticky: '2 seconds',
  workflowTaskTimeout: '3 seconds',
};

const labels = {
  astra: 'Astra',
  byHand: "by hand, Temporal's default time-outs",
  byHandShort: "by hand, Astra's time-outs",
} as const;
type Name = keyof typeof labels;

export const recoveryBench: Bench = {
  name: 'recovery',
  title: 'Recovery',
  method: `
${goals} diamonds of ${tasksOfGoal} tasks (1 → 8 → 1), each with an effect that takes 300 to 500 ms, run on one worker process. Once
150 to 250 of the ${goals * tasksOfGoal} tasks have begun the worker is killed (\`kill -9\`) and started again at once: Astra's by the local
stack's launcher, the peers' by the bench. Measured is the time from the kill to the end of the last goal. Each execution of a
task writes a line; what is written twice was cut off by the kill or, had its record been there already, run again in vain.

The peers are the same diamond as a workflow written by hand, one activity a task and no record but Temporal's, on the same
server, its bundle made ahead: with the time-outs that Temporal has by default (and 10 s for an activity), and with Astra's.
`,
  doesNotShow: [
    'The loss of a machine, or of a server: only a worker is killed, and another one is there a second later.',
    'Tools that may take over a minute, or whose effect is `once`: their loss is noticed after 10 s, and the latter are not run again.',
    'A Temporal cluster: there a lost task is tried again up to 2 s later, unless `history.timerProcessorMaxTimeShift` is set as in the local stack.',
    'DBOS 5 (1.7 s, up to 124 completed steps again) and Restate (1.5 s, up to 68): these are figures of another day on a like machine and work, quoted, not measured here.',
  ],
  async run({ quick, log }) {
    if (quick) return { targets: [], tables: [], notes: [], ratios: {} };
    const directory = await mkdtemp(join(tmpdir(), 'astra-bench-'));
    const stack = await startTestStack({ processes: 'all', env: { ...process.env, ASTRA_TOOL_MODULES: toolModule } });
    const peers: Peer[] = [];
    const addPeer = async (bundleFile: string, timeOuts: TimeOuts): Promise<Peer> => {
      const peer = await startPeer(stack, bundleFile, timeOuts);
      peers.push(peer);
      return peer;
    };
    try {
      const bundleFile = await bundlePeer(directory);
      const byHand = await addPeer(bundleFile, asWritten);
      const byHandShort = await addPeer(bundleFile, asAstra);
      return report(await measure({ astra: createAstraSubject(stack), byHand, byHandShort }, log));
    } finally {
      await Promise.all(peers.map((peer) => peer.close()));
      await stack.stop();
      await rm(directory, { recursive: true, force: true });
    }
  },
};

const notes = [
  'Goals that lost no attempt end within 3 s. The others wait until 3 s have passed since the last heartbeat of what they lost, run it again, and then their last task: 0.5 s each.',
  'What it took, of 13 to 15 s: lost attempts and workflow tasks noticed after 3 instead of 10 s and tried again after 0.1 s (7.3 to 7.9 s), the goals taken from the dead worker at once (`worker/take-over.ts`; 5.5 to 5.7 s), and timers that the server does not put off (4.8 to 5.3 s; all with two busy cores). Twice the activity slots lost: more attempts are under way when the worker dies (5.5 s).',
];

type Found = Readonly<Record<Name, readonly Recovery[]>>;

async function measure(subjects: Readonly<Record<Name, Subject>>, log: (line: string) => void): Promise<Found> {
  const found: Record<Name, Recovery[]> = { astra: [], byHand: [], byHandShort: [] };
  const variant = (name: Name) => async (): Promise<number> => {
    const recovery = await measureRecovery(subjects[name], killsAfter[found[name].length] ?? 200);
    found[name].push(recovery);
    log(`${labels[name]}: ${JSON.stringify(recovery)}`);
    return recovery.seconds;
  };
  await measurePaired(
    { astra: variant('astra'), byHand: variant('byHand'), byHandShort: variant('byHandShort') },
    { repetitions },
  );
  const measured = (name: Name): readonly Recovery[] => found[name].slice(-repetitions);
  return { astra: measured('astra'), byHand: measured('byHand'), byHandShort: measured('byHandShort') };
}

function report(found: Found): Findings {
  const seconds = found.astra.map((each) => each.seconds);
  const inSeconds = (value: number): string => `${round(value)} s`;
  // The keys of an object literal are its type's names.
  const names = Object.keys(labels) as Name[];
  return {
    targets: [
      target('the last of 50 goals ends after the kill (median of three)', median(seconds), { atMost: 5 }, ' s'),
      target('recorded tasks that run again', sum(found.astra.map((each) => each.afterRecord)), { atMost: 0 }),
    ],
    tables: [
      {
        title: `Median (least–greatest) of ${repetitions} kills`,
        columns: ['', 'kill to last end', 'kill to new worker', 'new worker to last end', 'executions cut off'],
        rows: names.map((name) => {
          const each = (show: (recovery: Recovery) => number): number[] => found[name].map(show);
          return [
            labels[name],
            spread(
              each((recovery) => recovery.seconds),
              inSeconds,
            ),
            spread(
              each((recovery) => recovery.upSeconds),
              inSeconds,
            ),
            spread(
              each((recovery) => recovery.seconds - recovery.upSeconds),
              inSeconds,
            ),
            spread(
              each((recovery) => recovery.again),
              round,
            ),
          ];
        }),
      },
    ],
    notes,
    ratios: {},
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
