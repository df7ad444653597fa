import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { Forgetting } from '../../domain/forget-subject.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ArchiveStore } from '../../stores/archive/archive-store.ts';
import type { ObjectRemoval } from '../../stores/artifacts/object-removal.ts';
import type { AnswerCache } from '../../stores/cache/answer-cache.ts';
import type { ArchivedGoals } from '../../stores/postgres/archived-goals.ts';
import type { DeletionRequest, DeletionStore, OpenDeletion } from '../../stores/postgres/deletions.ts';
import type { GoalRemovals } from '../../stores/postgres/goal-removals.ts';
import type { RetentionPolicies } from '../../stores/postgres/retention-policies.ts';
import type { SubjectRecords } from '../../stores/postgres/subjects.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Removed } from '../../domain/schemas/retention.ts';

/** What Temporal keeps of goals. */
export interface Executions {
  /** Cancels goals, waits for so long, and terminates those that still run. */
  stop(goalIds: readonly GoalId[], options: { readonly graceSeconds: number }): Promise<void>;
  /** Every execution of the goals, that of running ones only with `evenRunning`. Gone when it resolves. @returns how many */
  remove(goalIds: readonly GoalId[], options: { readonly evenRunning: boolean }): Promise<number>;
  /** How many of the tenant run. */
  countRunning(tenant: string): Promise<number>;
  cancelTenant(tenant: string): Promise<void>;
  /** Everything of the tenant, its schedules included. Gone when it resolves. @returns how many */
  removeTenant(tenant: string): Promise<number>;
  /** Puts the pseudonym into the tenant's schedules. */
  renameInSchedules(tenant: string, forgetting: Forgetting): Promise<void>;
  /** The ended runs of schedules that named the subject then. @returns how many are gone, and how many still run */
  removeScheduledRuns(tenant: string, subject: string): Promise<{ readonly removed: number; readonly running: number }>;
  /** Does nothing when it runs. */
  startErasure(deletionId: string): Promise<void>;
}

/** What deleting needs of its process. */
export interface RetentionDeps {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly answers: Pick<AnswerCache, 'removeTenant'>;
  readonly objects: ObjectRemoval;
  readonly archive: ArchiveStore;
  readonly archivedGoals: ArchivedGoals;
  readonly policies: RetentionPolicies;
  readonly deletions: DeletionStore;
  readonly removals: GoalRemovals;
  readonly subjects: SubjectRecords;
  readonly executionsOf: (client: Client) => Executions;
  readonly logger: Pick<Logger, 'info'>;
}

/** A deletion while it is worked at. */
export interface Erasure<Request extends DeletionRequest = DeletionRequest> extends RetentionDeps {
  readonly deletion: Omit<OpenDeletion, 'request'> & { readonly request: Request };
  readonly executions: Executions;
  count(removed: Partial<Removed>): Promise<void>;
  /** Called between two steps; throws when somebody else is to go on. */
  readonly onProgress: () => void;
}
