import { defineSignal, setHandler } from '@temporalio/workflow';
import type { ParkedTask } from '../activities/contract.ts';
import { parseTaskId } from '../domain/ids.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import {
  messages,
  type CarriedCall,
  type CarriedGoal,
  type ShardParkedArgs,
  type UnparkTasksArgs,
} from './contract.ts';
import { createDeadLetters } from './dead-letters.ts';
import { createPlaces, givenUp, tell, type Given, type Verdict } from './parking-places.ts';

export const unparkTasksSignal = defineSignal<[UnparkTasksArgs]>(messages.unparkTasks);
const shardParkedSignal = defineSignal<[ShardParkedArgs]>(messages.shardParked);

/** What had happened when an attempt began. */
export interface Mark {
  readonly releases: number;
  readonly ends: number;
}

/**
 * The parked tasks of one execution. A parked task is executed again when somebody says that what it waits for is lifted,
 * or, should nobody come to say so, after a while; one that is parked for a failure, only when people say so.
 *
 * 1. Nothing of this costs a history an event before the first task parks.
 * 2. What comes while a task is on its way to be parked is not lost: see `mark`.
 * 3. Shards of wide maps have a parking of their own, and tell that of the goal when they use it.
 */
export interface Parking {
  /** Is nothing parked, nor on its way from having been? What is parked for a failure does not count. */
  readonly isEmpty: boolean;
  /** Of calls that are parked or were, by task id. */
  readonly courses: ReadonlyMap<string, CarriedCall>;
  /** Called when a task is parked that people may be asked to help. */
  onAsk: () => void;
  mark(): Mark;
  /** The task as it is parked for a failure: it is not to be executed now. */
  held(taskId: string): ParkedTask | null;
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
  /** Of the map no item that has failed is tried again: its outcome is certain. */
  abandon(mapId: string): void;
  /** Nothing is executed again: the goal's outcome is certain. */
  close(): void;
  /** It is not after all; and these tasks begin anew, with their items. */
  reopen(begunAnew: ReadonlySet<string>): void;
  /** A map's shard that has parked tasks: it is told of releases, and counts as parked until it leaves. */
  joinShard(args: ShardParkedArgs): void;
}

/** @param carried what an earlier run of the goal had parked */
function createParking(carried: CarriedGoal['parked'] = {}): Parking {
  const places = createPlaces();
  const present = new Set<string>();
  const shards = createShards();
  const courses = new Map(Object.entries(carried));
  const deadLetters = createDeadLetters(courses);
  let now: Mark = { releases: 0, ends: 0 };

  const parking: Parking = {
    courses,
    onAsk: () => undefined,
    get isEmpty() {
      return present.size === 0;
    },
    mark: () => now,
    held: deadLetters.held,
    keep: (taskId, course) => void courses.set(taskId, course),
    async wait(taskId, parked, { since, times }) {
      const given = places.givenNow(taskId, parked);
      if (given) return given;
      deadLetters.keep(taskId, parked);
      const counts = !isFailure(parked);
      if (counts && (!since || isNews(parked, since, now))) return null;
      if (counts) present.add(taskId);
      if (parked.by === 'people') parking.onAsk();
      const verdict = await places.wait(taskId, parked, { times, verdict: deadLetters.verdict(taskId) });
      return verdict === 'again' ? null : verdict;
    },
    leave(taskId) {
      present.delete(taskId);
      shards.leave(taskId);
    },
    roomMade() {
      now = { ...now, ends: now.ends + 1 };
      places.admitOne();
    },
    release(args) {
      if (args.closed) places.close(givenOf(args));
      if (args.reason === 'failed') deadLetters.release(args);
      else now = { ...now, releases: now.releases + 1 };
      places.decide((taskId, parked) => deadLetters.verdict(taskId) ?? verdictOn(taskId, parked, args));
      shards.tell(args);
    },
    abandon: places.abandon,
    close() {
      places.close(givenUp);
      shards.tell(closed);
    },
    reopen(begunAnew) {
      places.reopen(begunAnew);
      shards.reopen();
      for (const taskId of courses.keys()) if (begunAnew.has(parseTaskId(taskId).id)) courses.delete(taskId);
    },
    joinShard({ shard, ask }) {
      present.add(shard);
      shards.join(shard, deadLetters.early);
      if (ask) parking.onAsk();
    },
  };
  return parking;
}

/** Those of wide maps that have parked items. */
function createShards() {
  const ids = new Set<string>();
  let isClosed = false;
  return {
    join(shard: string, said: readonly UnparkTasksArgs[]): void {
      ids.add(shard);
      for (const args of isClosed ? [...said, closed] : said) tell(shard, unparkTasksSignal, args);
    },
    leave: (shard: string): void => void ids.delete(shard),
    reopen: (): void => void (isClosed = false),
    tell(args: UnparkTasksArgs): void {
      isClosed ||= args.closed === true;
      for (const shard of ids) tell(shard, unparkTasksSignal, args);
    },
  };
}

const isNews = ({ by }: ParkedTask, since: Mark, now: Mark): boolean =>
  since.releases !== now.releases || (by === 'room' && since.ends !== now.ends);
const isFailure = ({ reason }: ParkedTask): boolean => reason === 'failed';
const goalFailed: ErrorInfo = {
  code: 'ASTRA_CANCELLED',
  message: 'The goal has failed meanwhile.',
  retryable: false,
};
const closed: UnparkTasksArgs = { reason: 'budget', error: goalFailed, closed: true };
const givenOf = ({ error }: UnparkTasksArgs): Given => (error ? { kind: 'failed', error } : givenUp);

/** Of what is parked for anything but a failure. */
function verdictOn(taskId: string, parked: ParkedTask, args: UnparkTasksArgs): Verdict | null {
  const isMeant = !isFailure(parked) && parked.reason === args.reason && (args.taskIds?.includes(taskId) ?? true);
  if (!isMeant) return null;
  return args.error ? givenOf(args) : 'again';
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
