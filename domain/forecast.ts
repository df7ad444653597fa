import { criticalPath, dependentsFirst } from './critical-path.ts';
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

const msOf = (time: string | null | undefined): number | null => (typeof time === 'string' ? Date.parse(time) : null);

/** At the pace that it had so far. */
function mapEndMs({ map, startedAt }: TaskState, nowMs: number): number | null {
  const startedMs = msOf(startedAt);
  const done = map ? map.completed + map.failed : 0;
  if (!map || done === 0 || startedMs === null) return null;
  return nowMs + ((nowMs - startedMs) / done) * (map.total - done);
}

function runningEndMs({ outline, state }: StandingTask, { nowMs }: Knowledge, seconds: number | undefined) {
  if (state.waitingFor) return state.waitingFor.kind === 'timer' ? msOf(state.waitingFor.until) : null;
  const startedMs = msOf(state.startedAt);
  if (outline.kind === 'map') {
    const endMs = mapEndMs(state, nowMs);
    if (endMs !== null) return endMs;
  }
  return startedMs === null || seconds === undefined ? null : startedMs + seconds * 1_000;
}

/** @param fromMs when what it depends on is over. Null: nobody can say, and never before now. */
function endMsOf(task: StandingTask, knowledge: Knowledge, { fromMs, seconds }: Course): number | null {
  const { state } = task;
  const { nowMs } = knowledge;
  if (state.status === 'running') {
    const endMs = runningEndMs(task, knowledge, seconds);
    return endMs === null ? null : Math.max(endMs, nowMs);
  }
  if (seconds === undefined || fromMs === null) return null;
  if (state.waitingFor && openEnded.has(state.waitingFor.kind)) return null;
  return Math.max(nowMs, fromMs, msOf(state.waitingFor?.until) ?? 0) + seconds * 1_000;
}

interface Course {
  readonly fromMs: number | null;
  readonly seconds: number | undefined;
}

const secondsOf = (outline: TaskOutline, known: KnownSeconds): number | undefined =>
  outline.seconds ?? known.get(taskTypeOf(outline) ?? '');

export interface Forecast {
  /** Of each task that is not over: when its end is expected, null where nobody can say. */
  readonly endsMs: ReadonlyMap<string, number | null>;
  /** When the last of those that will end does; null where nobody can say. */
  readonly endMs: number | null;
}

/**
 * When tasks that are not over are expected to be: each begins when the last that it depends on has ended, and takes as
 * long as those of its type did. Workers are taken to be free, and conditions to hold. O(V + E).
 */
export function forecast(tasks: readonly StandingTask[], knowledge: Knowledge): Forecast {
  const { order, dependencies } = dependentsFirst(tasks.map(({ outline }) => outline));
  const endsMs = new Map<string, number | null>();
  let lastMs: number | null = knowledge.nowMs;
  const laterOf = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : Math.max(a, b);
  for (const index of order.toReversed()) {
    const task = tasks[index];
    if (!task || isFinalTask(task.state.status)) continue;
    const { id } = task.outline;
    const fromMs = (dependencies[index] ?? [])
      .map((dependency) => endsMs.get(tasks[dependency]?.outline.id ?? ''))
      .reduce<number | null>((latest, endMs) => (endMs === undefined ? latest : laterOf(latest, endMs)), 0);
    const endMs = endMsOf(task, knowledge, { fromMs, seconds: secondsOf(task.outline, knowledge.known) });
    endsMs.set(id, endMs);
    if (task.state.waitingFor?.kind !== 'goal_ending') lastMs = laterOf(lastMs, endMs);
  }
  return { endsMs, endMs: lastMs };
}

/** As `forecast` of an item of a map, which depends on nothing. */
export const itemEndMs = (task: StandingTask, knowledge: Knowledge): number | null =>
  isFinalTask(task.state.status)
    ? null
    : endMsOf(task, knowledge, { fromMs: 0, seconds: knowledge.known.get(itemTypeOf(task.outline) ?? '') });

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
export function longestChain(tasks: readonly StandingTask[], known: KnownSeconds): string[] {
  const seconds = new Map(tasks.map((task) => [task.outline.id, knownSecondsOf(task, known)]));
  const ofKnown = [...seconds.values()].filter((each) => each !== undefined);
  const average = ofKnown.length === 0 ? 1 : ofKnown.reduce((sum, each) => sum + each, 0) / ofKnown.length;
  return criticalPath(
    tasks.map(({ outline }) => outline),
    ({ id }) => Math.max(seconds.get(id) ?? average, leastSeconds),
  );
}
