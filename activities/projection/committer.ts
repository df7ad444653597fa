import type { Pool } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import { rollback, type GoalRecord } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ViewCache } from '../../stores/cache/view-cache.ts';
import { goalKey, type GoalWrite } from '../../stores/goal-write.ts';
import { commitGoals } from '../../stores/postgres/commit.ts';
import { isDataError, isTransactionConflict, postgresError } from '../../stores/postgres/postgres-error.ts';
import { fold, type FindDeliveries, type Fold } from './fold.ts';
import type { GoalMemory } from './goal-memory.ts';
import type { RecordRequest } from './record-request.ts';

export interface CommitterDeps {
  readonly pool: Pool;
  readonly memory: GoalMemory;
  readonly viewCache: ViewCache;
  readonly logger: Pick<Logger, 'error'>;
  readonly findDeliveries: FindDeliveries;
  /** Told of each goal that a commit moved, with the record as it is now. */
  readonly onCommitted: (write: GoalWrite, record: GoalRecord) => void;
  /** Told of each goal that has ended and that other goals wait for, once readers see its end. */
  readonly onAwaitedEnd: (goal: GoalRef) => void;
}

/** Settles requests; answers with those that must go into the next commit, in their order. */
export type Commit = (requests: readonly RecordRequest[]) => Promise<readonly RecordRequest[]>;

/** Losing as often means that something is wrong: of those who race for a goal, one wins each time. */
const maxLosses = 100;

/**
 * Makes one commit of requests.
 *
 * 1. Drafts are folded into the goals in memory first; a commit that fails or loses takes its folds back, so memory
 *    never keeps what Postgres has not. While it is ahead, `entry.committing` tells.
 * 2. A goal that another process has moved meanwhile is caught up with, and its requests are returned for the next
 *    commit: what the other one has recorded is no news then.
 * 3. A request is settled only after the cache has followed. The next commit need not wait for that: both stores see
 *    the commits of a process in one order.
 * 4. What Postgres refuses for its data is tried again request by request: one poisoned draft fails nobody else.
 */
export function createCommitter(deps: CommitterDeps): Commit {
  const commit: Commit = async (requests) => {
    const folds = foldAll(requests, deps);
    const news = folds.filter(({ write }) => write);
    for (const known of folds.filter(({ write }) => !write)) void confirm(known, deps.viewCache);
    if (news.length === 0) return [];
    try {
      const moved = await write(news, deps.pool);
      const isMoved = ({ entry }: Fold): boolean => moved.has(goalKey(entry.goal));
      void publish(news.filter(isMoved), deps, { moved });
      return await catchUp(
        news.filter((each) => !isMoved(each)),
        deps.memory,
      );
    } catch (error) {
      const failed = news.flatMap((each) => each.requests);
      if (isTransactionConflict(error)) return keepLosers(failed);
      if (!isDataError(error)) return rejectAll(failed, postgresError(error));
      if (failed.length === 1) {
        deps.logger.error({ err: error, ...news[0]?.entry.goal }, 'Postgres refused what was to be recorded');
        return rejectAll(failed, postgresError(error));
      }
      const again: RecordRequest[] = [];
      for (const request of failed) again.push(...(await commit([request])));
      return again;
    }
  };
  return commit;
}

function foldAll(
  requests: readonly RecordRequest[],
  { logger, findDeliveries }: Pick<CommitterDeps, 'logger' | 'findDeliveries'>,
): Fold[] {
  return [...Map.groupBy(requests, ({ entry }) => entry)].flatMap(([entry, ofGoal]) => {
    try {
      return [fold(entry, ofGoal, { findDeliveries })];
    } catch (error) {
      logger.error({ err: error, ...entry.goal }, 'drafts could not be folded');
      rejectAll(ofGoal, postgresError(error));
      return [];
    }
  });
}

type Moved = Awaited<ReturnType<typeof commitGoals>>;

/** @returns the goals that moved, by key. @throws what pg throws; then none did, as far as is known */
async function write(folds: readonly Fold[], pool: Pool): Promise<Moved> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  for (const { entry } of folds) entry.committing = promise;
  let moved: Moved = new Map();
  try {
    moved = await commitGoals(
      pool,
      folds.flatMap((each) => each.write ?? []),
    );
    return moved;
  } finally {
    for (const { entry, changes } of folds) {
      if (!moved.has(goalKey(entry.goal))) rollback(changes);
      entry.committing = null;
    }
    resolve(undefined);
  }
}

async function publish(
  folds: readonly Fold[],
  { memory, viewCache, onCommitted, onAwaitedEnd }: Omit<CommitterDeps, 'pool' | 'logger'>,
  { moved }: { readonly moved: Moved },
): Promise<void> {
  const writes = folds.flatMap((each) => each.write ?? []);
  for (const { entry, write } of folds) {
    memory.keep(entry);
    if (write) onCommitted(write, entry.record);
  }
  await viewCache.refresh(writes);
  for (const { requests } of folds) for (const request of requests) request.resolve();
  for (const { goal, state } of writes) {
    if (state.finishedAt !== null && moved.get(goalKey(goal))?.awaited === true) onAwaitedEnd(goal);
  }
}

/** Nothing was news; but an earlier process may have died between its commit and the cache. */
async function confirm({ entry, requests }: Fold, viewCache: ViewCache): Promise<void> {
  const { seq } = entry.record.state;
  if (seq === 0) {
    rejectAll(requests, notRecorded(entry.goal));
    return;
  }
  if (requests.some(({ lazy }) => !lazy)) await viewCache.confirm(entry.goal, seq);
  for (const request of requests) request.resolve();
}

async function catchUp(folds: readonly Fold[], memory: GoalMemory): Promise<readonly RecordRequest[]> {
  const again = await Promise.all(
    folds.map(async ({ entry, requests }) => {
      try {
        if (await memory.catchUp(entry)) return keepLosers(requests);
        return rejectAll(requests, notRecorded(entry.goal));
      } catch (error) {
        return rejectAll(requests, postgresError(error));
      }
    }),
  );
  return again.flat();
}

export const notRecorded = ({ goalId }: GoalRef): AstraError =>
  new AstraError('ASTRA_NOT_FOUND', `Nothing is recorded of goal ${goalId}.`);

/** None of them goes into the next commit. */
function rejectAll(requests: readonly RecordRequest[], error: AstraError): [] {
  for (const request of requests) request.reject(error);
  return [];
}

/** Counts the loss; gives up on those that lose for ever. */
function keepLosers(requests: readonly RecordRequest[]): readonly RecordRequest[] {
  return requests.filter((request) => {
    request.losses += 1;
    if (request.losses <= maxLosses) return true;
    request.reject(new AstraError('ASTRA_UNAVAILABLE', 'The goal is being recorded by too many at once. Try again.'));
    return false;
  });
}
