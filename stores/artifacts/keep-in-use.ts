import { hash } from 'node:crypto';
import type { GoalRemovals } from '../postgres/goal-removals.ts';
import type { RemovalFollower } from '../removal-follower.ts';
import type { ArtifactStore } from './artifact-store.ts';

/**
 * The store, but bytes that are about to go with a deleted goal stay when they are written again meanwhile: the store does
 * not write twice what it has.
 */
export function keepInUse(
  store: ArtifactStore,
  { follower, removals }: { readonly follower: RemovalFollower; readonly removals: Pick<GoalRemovals, 'keepObject'> },
): ArtifactStore {
  return {
    ...store,
    async put(tenant, artifact) {
      if (follower.anyLeaving) {
        const sha256 = hash('sha256', artifact.bytes);
        if (follower.isLeaving(tenant, sha256)) await removals.keepObject(tenant, sha256);
      }
      return store.put(tenant, artifact);
    },
  };
}
