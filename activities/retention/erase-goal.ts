import type { DeletionRequest } from '../../stores/postgres/deletions.ts';
import type { Erasure } from './deps.ts';
import { removeArchives } from './remove-archives.ts';
import { removeMarked } from './remove-goals.ts';

type GoalRequest = Extract<DeletionRequest, { kind: 'goal' }>;

/** One goal and the goals below it, from the record and from the archive. */
export async function eraseGoal(erasure: Erasure<GoalRequest>): Promise<number | null> {
  const { deletion, deletions, removals, answers } = erasure;
  const { request } = deletion;
  if (!request.marked) {
    await removals.mark({ id: deletion.id, tenant: request.tenant }, [{ goalId: request.goalId, archive: false }]);
    // Once only: later a new goal may have the id, by its idempotency key.
    await deletions.keep(deletion.id, { ...request, marked: true });
    return 0;
  }
  const waitSeconds = await removeMarked(erasure);
  if (waitSeconds !== null) return waitSeconds;
  await removeArchives(erasure, request.goalId);
  await answers.removeTenant(request.tenant);
  return null;
}
