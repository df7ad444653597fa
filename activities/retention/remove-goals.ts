import type { GoalId } from '../../domain/schemas/common.ts';
import { removeGoalKeys } from '../../stores/cache/removed-keys.ts';
import { removeGoalRows } from '../../stores/postgres/tenant-rows.ts';
import { announcedSeconds } from '../../stores/removal-follower.ts';
import { archiveGoal } from './archive-goal.ts';
import type { Erasure } from './deps.ts';

/** Goals that are removed together. */
export const goalsAtOnce = 200;
const archivedAtOnce = 4;
/** Until tasks have ended that may have written the same bytes. */
const busyWaitSeconds = 5;

/**
 * Goes on with the goals that the deletion has marked: archive, rows, Redis; then, once all workers have been told, the
 * bytes that nobody else refers to and Temporal's executions; last the marks. Each step may be repeated, and what it needs
 * to know outlives the rows in the mark.
 *
 * The executions come last for the sake of idempotency keys: while there is one, a submission with the goal's key starts
 * nothing, so nothing of a new goal is taken for the old one's.
 * @returns seconds until it is worth going on; null: no goal is marked
 */
export async function removeMarked(
  erasure: Erasure,
  { evenRunning = false }: { readonly evenRunning?: boolean } = {},
): Promise<number | null> {
  const { removals, redis, deletion, onProgress } = erasure;
  const { tenant } = deletion.request;
  const marked = await removals.list(deletion.id, { limit: goalsAtOnce });
  if (marked.length === 0) return null;
  const goalIds = marked.map(({ goalId }) => goalId);

  const present = marked.filter(({ goneSeconds }) => goneSeconds === null);
  const toArchive = present.filter(({ archive }) => archive);
  for (let from = 0; from < toArchive.length; from += archivedAtOnce) {
    onProgress();
    const some = toArchive.slice(from, from + archivedAtOnce);
    await Promise.all(some.map(({ goalId }) => archiveGoal(erasure, { tenant, goalId })));
  }
  if (present.length > 0) {
    const goals = { tenant, goalIds: present.map(({ goalId }) => goalId) };
    await erasure.count(await removeGoalRows(erasure.pool, goals, { onProgress }));
  }
  await removeGoalKeys(
    redis,
    goalIds.map((goalId) => ({ tenant, goalId })),
  );
  const toldSeconds = Math.min(...marked.map(({ goneSeconds }) => goneSeconds ?? 0));
  if (toldSeconds < announcedSeconds) return announcedSeconds - toldSeconds;
  return removeTraces(erasure, goalIds, { evenRunning });
}

async function removeTraces(
  { removals, objects, executions, count, deletion }: Erasure,
  goalIds: readonly GoalId[],
  options: { readonly evenRunning: boolean },
): Promise<number> {
  const { tenant } = deletion.request;
  const busy = await removals.mayBeShared(tenant, goalIds);
  if (!busy) {
    const removed = await removals.releaseObjects(tenant, goalIds, (sha256) => objects.removeArtifact(tenant, sha256));
    await count({ objects: removed });
  }
  await count({ executions: await executions.remove(goalIds, options) });
  await removals.finish(tenant, goalIds);
  return busy ? busyWaitSeconds : 0;
}
