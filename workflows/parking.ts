import { condition, defineSignal, getExternalWorkflowHandle, setHandler } from '@temporalio/workflow';
import type { ParkedTask, TaskEnding } from '../activities/contract.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import {
  messages,
  type CarriedCall,
  type CarriedGoal,
  type ShardParkedArgs,
  type UnparkTasksArgs,
} from './contract.ts';

export const unparkTasksSignal = defineSignal<[UnparkTasksArgs]>(messages.unparkTasks);
const shardParkedSignal = defineSignal<[ShardParkedArgs]>(messages.shardParked);

/** Asked again without a signal: after a first wait that doubles each time, up to the longest. */
const firstWaitMs = 5_000;
const longestWaitMs = 600_000;

type Given = Extract<TaskEnding, { kind: 'failed' | 'cancelled' }>;

interface Place {
  readonly parked: ParkedTask;
  /** What came of it: the task is executed again, or ends so. */
  verdict: 'again' | Given | null;
}

/** What had happened when an attempt began. */
export interface Mark {
  readonly releases: number;
  readonly ends: number;
}

/**
 * The parked tasks of one execution. A parked task is executed again when somebody says that what it waits for is lifted,
 * or, should nobody come to say so, after a while.
 *
 * 1. Nothing of this costs a history an event before the first task parks.
 * 2. What comes while a task is on its way to be parked is not lost: see `mark`.
 * 3. Shards of wide maps have a parking of their own, and tell that of the goal when they use it.
 */
export interface Parking {
  /** Is nothing parked, nor on its way from having been? */
  readonly isEmpty: boolean;
  /** Of calls that are parked or were, by task id. */
  readonly courses: ReadonlyMap<string, CarriedCall>;
  /** Called when a task is parked that people may be asked to help. */
  onAsk: () => void;
  mark(): Mark;
  /** Notes from where a call goes on. */
  keep(taskId: string, course: CarriedCall): void;
  /**
   * Waits until the task is to be executed again.
   * @param since the mark when its last attempt began; null: it is not known, and there may have been news since
   * @param times how often it was parked already
   * @returns how it ends instead; null: it is executed again
   */
  wait(taskId: string, parked: ParkedTask, options: { since: Mark | null; times: number }): Promise<Given | null>;
  /** The task has ended, or goes on. */
  leave(taskId: string): void;
  /** Something has ended: it may leave room for one task that waits for that. */
  roomMade(): void;
  release(args: UnparkTasksArgs): void;
  /** Nothing is executed again: the goal's outcome is certain. */
  close(): void;
  /** It is not after all; and these tasks begin anew, with their items. */
  reopen(begunAnew: ReadonlySet<string>): void;
  /** A map's shard that has parked tasks: it is told of releases, and counts as parked until it leaves. */
  joinShard(args: ShardParkedArgs): void;
}

/** @param carried what an earlier run of the goal had parked */
function createParking(carried: CarriedGoal['parked'] = {}): Parking {
  const places = new Map<string, Place>();
  const present = new Set<string>();
  const shards = new Set<string>();
  const courses = new Map(Object.entries(carried));
  let now: Mark = { releases: 0, ends: 0 };
  let closed = false;

  const parking: Parking = {
    courses,
    onAsk: () => undefined,
    get isEmpty() {
      return present.size === 0;
    },
    mark: () => now,
    keep: (taskId, course) => void courses.set(taskId, course),
    async wait(taskId, parked, { since, times }) {
      if (closed) return givenUp;
      const { attempted, reason } = parked;
      parking.keep(taskId, { ...courses.get(taskId), attempted, unparked: reason });
      if (!since || isNews({ since, now }, parked.by)) return null;
      const place: Place = { parked, verdict: null };
      places.set(taskId, place);
      present.add(taskId);
      if (parked.by === 'people') parking.onAsk();
      const verdict = await verdictFor(place, times).finally(() => places.delete(taskId));
      return verdict === 'again' ? null : verdict;
    },
    leave(taskId) {
      present.delete(taskId);
      shards.delete(taskId);
    },
    roomMade() {
      now = { ...now, ends: now.ends + 1 };
      if (places.size === 0) return;
      const next = [...places.values()].find(({ parked, verdict }) => parked.by === 'room' && verdict === null);
      if (next) next.verdict = 'again';
    },
    release(args) {
      now = { ...now, releases: now.releases + 1 };
      for (const [taskId, place] of places) if (isMeant(taskId, place, args)) place.verdict ??= verdictOf(args);
      for (const shard of shards) tell(shard, unparkTasksSignal, args);
    },
    close() {
      closed = true;
      for (const place of places.values()) place.verdict ??= givenUp;
      for (const shard of shards) tell(shard, unparkTasksSignal, { reason: 'budget', error: goalFailed });
    },
    reopen(begunAnew) {
      closed = false;
      for (const taskId of courses.keys()) if (begunAnew.has(parseTaskId(taskId).id)) courses.delete(taskId);
    },
    joinShard({ shard, ask }) {
      present.add(shard);
      shards.add(shard);
      if (ask) parking.onAsk();
    },
  };
  return parking;
}

const isNews = ({ since, now }: { since: Mark; now: Mark }, by: ParkedTask['by']): boolean =>
  since.releases !== now.releases || (by === 'room' && since.ends !== now.ends);

/** Null: nobody has said anything, and it is time to ask again. */
async function verdictFor(place: Place, times: number): Promise<Place['verdict']> {
  await condition(() => place.verdict !== null, Math.min(longestWaitMs, firstWaitMs * 2 ** times));
  return place.verdict;
}

const isMeant = (taskId: string, { parked }: Place, { reason, taskIds }: UnparkTasksArgs): boolean =>
  parked.reason === reason && (taskIds?.includes(taskId) ?? true);

const givenUp: Given = { kind: 'cancelled', reason: null };
const goalFailed: ErrorInfo = {
  code: 'ASTRA_CANCELLED',
  message: 'The goal has failed meanwhile.',
  retryable: false,
};
const verdictOf = ({ error }: UnparkTasksArgs): Place['verdict'] => (error ? { kind: 'failed', error } : 'again');

/** Who has ended meanwhile has nothing to be told. */
function tell<Args>(workflowId: string, signal: ReturnType<typeof defineSignal<[Args]>>, args: Args): void {
  getExternalWorkflowHandle(workflowId)
    .signal(signal, args)
    .catch(() => undefined);
}

/** The goal's, with its handlers. Call it before the first await, or early messages are lost. */
export function createGoalParking(carried: CarriedGoal['parked']): Parking {
  const parking = createParking(carried);
  setHandler(unparkTasksSignal, parking.release);
  setHandler(shardParkedSignal, parking.joinShard);
  return parking;
}

/** The parking of a shard, which tells that of its goal when it is used. */
export function createShardParking(shard: string, goalWorkflowId: string): Parking {
  const parking = createParking();
  setHandler(unparkTasksSignal, parking.release);
  let isKnown = false;
  const { wait } = parking;
  parking.wait = (taskId, parked, options) => {
    const ask = parked.by === 'people';
    if (ask || !isKnown) tell(goalWorkflowId, shardParkedSignal, { shard, ask });
    isKnown = true;
    return wait(taskId, parked, options);
  };
  return parking;
}
