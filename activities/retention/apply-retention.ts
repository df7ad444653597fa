import type { Erasure } from './deps.ts';
import { goalsAtOnce, removeMarked } from './remove-goals.ts';

/** A tenant's goals whose time has come, batch after batch. */
export async function applyRetention(erasure: Erasure): Promise<number | null> {
  const { deletion, removals, policies } = erasure;
  const { tenant } = deletion.request;
  const waitSeconds = await removeMarked(erasure);
  if (waitSeconds !== null) return waitSeconds;
  const due = await policies.due(tenant, { limit: goalsAtOnce });
  await removals.mark({ id: deletion.id, tenant }, due);
  // Where a goal far below still runs, nothing is marked, and the next sweep looks again.
  return (await removals.list(deletion.id, { limit: 1 })).length > 0 ? 0 : null;
}
