import { criticalPath, dependentsFirst, type DependentsFirst } from './critical-path.ts';
import { isFinalTask, type TaskState } from './goal-record.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { WaitingKind } from './schemas/waiting.ts';
import { itemTypeOf, taskTypeOf, type KnownSeconds } from './task-type.ts';

/** By what tasks' ends are foretold. */
export interface Knowledge {
  readonly known: KnownSeconds;
  /** Since the epoch, as all times here. */
  readonly nowMs: number;
}

/** A task of the plan as it stands. */
export interface StandingTask {
  readonly outline: TaskOutline;
  readonly state: TaskState;
}

/** What nobody knows the length of: people, the outside, or what never goes on. */
const openEnded: ReadonlySet<WaitingKind> = new Set<WaitingKind>([
  'approval',
  'event',
  'budget',
  'paused',
  'dead_letter',
  'goal_ending',
]);

/** Null: nobody can say when. */
type Expected = number | null;

const laterOf = (a: Expected, b: Expected): Expected => (a === null || b === null ? null : Math.max(a, b));

const msOf = (time: string | null | undefined): Expected => (typeof time === 'string' ? Date.parse(time) : null);

const secondsOf = (outline: TaskOutline, known: KnownSeconds): number | undefined =>
  outline.seconds ?? known.get(taskTypeOf(outline) ?? '');

/** At the pace that it had so far. */
function mapEndMs({ map, startedAt }: TaskState, nowMs: number): Expected {
  const startedMs = msOf(startedAt);
  const done = map ? map.completed + map.failed : 0;
  if (!map || done === 0 || startedMs === null) return null;
  return nowMs + ((nowMs - startedMs) / done) * (map.total - done);
}

function runningEndMs({ outline, state }: StandingTask, nowMs: number, seconds: number | undefined): Expected {
  if (state.waitingFor) return state.waitingFor.kind === 'timer' ? msOf(state.waitingFor.until) : null;
  const endMs = outline.kind === 'map' ? mapEndMs(state, nowMs) : null;
  if (endMs !== null) return endMs;
  const startedMs = msOf(state.startedAt);
  return startedMs === null || seconds === undefined ? null : startedMs + seconds * 1_000;
}

interface Course {
  readonly nowMs: number;
  /** When what the task depends on is over. */
  readonly fromMs: Expected;
  /** How long it takes; undefined: nobody knows. */
  readonly seconds: number | undefined;
}

/** Never before now. */
function endMsOf(task: StandingTask, { nowMs, fromMs, seconds }: Course): Expected {
  const { status, waitingFor } = task.state;
  if (status === 'running') return laterOf(runningEndMs(task, nowMs, seconds), nowMs);
  if (seconds === undefined || fromMs === null) return null;
  if (waitingFor && openEnded.has(waitingFor.kind)) return null;
  return Math.max(nowMs, fromMs, msOf(waitingFor?.until) ?? 0) + seconds * 1_000;
}

export interface Forecast {
  /** Of each task, in their order, when its end is expected; undefined: it is over. */
  readonly endsMs: readonly (Expected | undefined)[];
  /** When the last of those that will end does. */
  readonly endMs: Expected;
}

/**
 * When tasks that are not over are expected to be: each begins when the last that it depends on has ended, and takes as
 * long as those of its type did. Workers are taken to be free, and conditions to hold. O(V + E).
 * @param shape of the tasks
 */
export function forecast(
  tasks: readonly StandingTask[],
  { known, nowMs }: Knowledge,
  { shape: { order, dependencies } }: { readonly shape: DependentsFirst },
): Forecast {
  const endsMs = tasks.map((): Expected | undefined => undefined);
  let endMs: Expected = nowMs;
  for (const index of order.toReversed()) {
    const task = tasks[index];
    if (!task || isFinalTask(task.state.status)) continue;
    let fromMs: Expected = nowMs;
    for (const dependency of dependencies[index] ?? []) {
      const before = endsMs[dependency];
      if (before !== undefined) fromMs = laterOf(fromMs, before);
    }
    const expected = endMsOf(task, { nowMs, fromMs, seconds: secondsOf(task.outline, known) });
    endsMs[index] = expected;
    if (task.state.waitingFor?.kind !== 'goal_ending') endMs = laterOf(endMs, expected);
  }
  return { endsMs, endMs };
}

/** As `forecast` of an item of a map, which depends on nothing; undefined: it is over. */
export const itemEndMs = (task: StandingTask, { known, nowMs }: Knowledge): Expected | undefined =>
  isFinalTask(task.state.status)
    ? undefined
    : endMsOf(task, { nowMs, fromMs: nowMs, seconds: known.get(itemTypeOf(task.outline) ?? '') });

/** What a task took, or is expected to take. */
function knownSecondsOf({ outline, state }: StandingTask, known: KnownSeconds): number | undefined {
  if (!isFinalTask(state.status)) return secondsOf(outline, known);
  const [startedMs, finishedMs] = [msOf(state.startedAt), msOf(state.finishedAt)];
  return startedMs === null || finishedMs === null ? 0 : Math.max(0, finishedMs - startedMs) / 1_000;
}

/** Ties between tasks that took no time go to the longer chain. */
const leastSeconds = 0.001;

/**
 * The longest chain by what tasks took, or are expected to take; those of which nothing is known count as the others do on
 * average. O(V + E).
 */
export function longestChain(
  tasks: readonly StandingTask[],
  known: KnownSeconds,
  { shape }: { readonly shape: DependentsFirst },
): string[] {
  const seconds = tasks.map((task) => knownSecondsOf(task, known));
  const ofKnown = seconds.filter((each) => each !== undefined);
  const average = ofKnown.length === 0 ? 1 : ofKnown.reduce((sum, each) => sum + each, 0) / ofKnown.length;
  return criticalPath(
    tasks.map(({ outline }) => outline),
    seconds.map((each) => Math.max(each ?? average, leastSeconds)),
    { shape },
  );
}

export const shapeOf = (tasks: readonly StandingTask[]): DependentsFirst =>
  dependentsFirst(tasks.map(({ outline }) => outline));
