import type { Recorder } from '../activities/projection/recorder.ts';
import type { RetentionDeps } from '../activities/retention/deps.ts';
import type { DurationLog } from '../stores/duration-log.ts';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { createArchiveStore } from '../stores/archive/archive-store.ts';
import { createArtifactStore, type ArtifactStore } from '../stores/artifacts/artifact-store.ts';
import { keepInUse } from '../stores/artifacts/keep-in-use.ts';
import { createObjectRemoval } from '../stores/artifacts/object-removal.ts';
import { createArchivedGoals } from '../stores/postgres/archived-goals.ts';
import { createDeletionStore } from '../stores/postgres/deletions.ts';
import { createGoalRemovals } from '../stores/postgres/goal-removals.ts';
import { createRetentionPolicies } from '../stores/postgres/retention-policies.ts';
import { createSubjectRecords } from '../stores/postgres/subjects.ts';
import { createRemovalFollower } from '../stores/removal-follower.ts';
import { createExecutions } from './executions.ts';

interface Shared extends Pick<RetentionDeps, 'pool' | 'redis' | 'answers'> {
  readonly config: Config;
  readonly recorder: Pick<Recorder, 'forget'>;
  readonly durations: Pick<DurationLog, 'forget'>;
  readonly logger: Logger;
}

/** What a worker deletes with, and what sees to it that it does not believe, or give away, what others delete. */
export function createRetentionParts({ config, recorder, durations, ...shared }: Shared): {
  readonly deps: RetentionDeps;
  readonly artifacts: ArtifactStore;
  close(): void;
} {
  const { pool, logger } = shared;
  const removals = createGoalRemovals(pool);
  const follower = createRemovalFollower(removals, {
    onGone(isGone) {
      recorder.forget(isGone);
      durations.forget(isGone);
    },
    logger,
  });
  const artifacts = keepInUse(createArtifactStore(config), { follower, removals });
  const objects = createObjectRemoval(config);
  const archive = createArchiveStore(config);
  return {
    artifacts,
    deps: {
      ...shared,
      objects,
      archive,
      archivedGoals: createArchivedGoals(pool),
      policies: createRetentionPolicies(pool),
      deletions: createDeletionStore(pool),
      removals,
      subjects: createSubjectRecords(pool),
      executionsOf: createExecutions,
    },
    close() {
      follower.close();
      artifacts.close();
      objects.close();
      archive.close();
    },
  };
}
