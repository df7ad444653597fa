import { condition, getExternalWorkflowHandle, type SignalDefinition } from '@temporalio/workflow';
import type { ParkedTask, TaskEnding } from '../activities/contract.ts';
import { parseTaskId } from '../domain/ids.ts';

/** Asked again without a signal: after a first wait that doubles each time, up to the longest. */
const firstWaitMs = 5_000;
const longestWaitMs = 600_000;

/** What came of a parked task: it is executed again, or ends so. */
export type Given = Extract<TaskEnding, { kind: 'failed' | 'cancelled' | 'discarded' }>;
export type Verdict = 'again' | Given;

interface Place {
  readonly parked: ParkedTask;
  verdict: Verdict | null;
}

/** Where parked tasks wait. The first verdict counts. */
export interface Places {
  /** What it is to whoever comes now: the goal's outcome, or its map's, is certain. */
  givenNow(taskId: string, parked: ParkedTask): Given | null;
  /**
   * Null: nobody has said anything, and it is time to ask again, which never comes for what is parked for a failure.
   * @param times how often it was parked already
   */
  wait(
    taskId: string,
    parked: ParkedTask,
    options: { times: number; verdict: Verdict | null },
  ): Promise<Verdict | null>;
  /** @param verdictOn null: nothing is said of that task */
  decide(verdictOn: (taskId: string, parked: ParkedTask) => Verdict | null): void;
  /** The first that waits for room goes on. */
  admitOne(): void;
  /** Ends all, and what comes later. */
  close(given: Given): void;
  /** Gives up those items of the map that have failed, and those that fail later. */
  abandon(mapId: string): void;
  /** What was certain is not any more, of the maps that begin anew and of the goal. */
  reopen(begunAnew: ReadonlySet<string>): void;
}

export function createPlaces(): Places {
  const places = new Map<string, Place>();
  const abandoned = new Set<string>();
  let closing: Given | null = null;
  const givenNow: Places['givenNow'] = (taskId, { reason }) =>
    closing ?? (reason === 'failed' && abandoned.has(parseTaskId(taskId).id) ? givenUp : null);
  const decide: Places['decide'] = (verdictOn) => {
    for (const [taskId, place] of places) place.verdict ??= verdictOn(taskId, place.parked);
  };
  return {
    givenNow,
    async wait(taskId, parked, { times, verdict }) {
      const place: Place = { parked, verdict };
      places.set(taskId, place);
      const isDecided = (): boolean => place.verdict !== null;
      try {
        if (parked.reason === 'failed') await condition(isDecided);
        else await condition(isDecided, Math.min(longestWaitMs, firstWaitMs * 2 ** times));
        return place.verdict;
      } finally {
        places.delete(taskId);
      }
    },
    decide,
    admitOne() {
      if (places.size === 0) return;
      const next = [...places.values()].find(({ parked, verdict }) => parked.by === 'room' && verdict === null);
      if (next) next.verdict = 'again';
    },
    close(given) {
      closing = given;
      decide(givenNow);
    },
    abandon(mapId) {
      abandoned.add(mapId);
      decide(givenNow);
    },
    reopen(begunAnew) {
      closing = null;
      for (const mapId of begunAnew) abandoned.delete(mapId);
    },
  };
}

/** How a parked task ends that nobody waits for any more. */
export const givenUp: Given = { kind: 'cancelled', reason: null };

/** Who has ended meanwhile has nothing to be told. */
export function tell<Args>(workflowId: string, signal: SignalDefinition<[Args]>, args: Args): void {
  getExternalWorkflowHandle(workflowId)
    .signal(signal, args)
    .catch(() => undefined);
}
