import type { GoalId } from '../../domain/schemas/common.ts';
import type { Erasure } from './deps.ts';

/** Removes a goal, and the goals below it, from the archive. The index's row goes last: until then it is tried again. */
export async function removeArchives(
  { archive, archivedGoals, deletion, count, onProgress }: Erasure,
  goalId: GoalId,
): Promise<void> {
  const { tenant } = deletion.request;
  const tree = await archivedGoals.tree(tenant, goalId);
  // Those below first: they are found by those above.
  for (const each of tree.toReversed()) {
    onProgress();
    const objects = await archive.remove({ tenant, goalId: each });
    await archivedGoals.remove(tenant, each);
    await count({ objects });
  }
}
