import type { GoalRef } from '../../domain/goal-ref.ts';

/** Every key that Astra uses in its bucket. What ends in a slash is a prefix. The tenant is in all of them. */
export const objectKeys = {
  artifact: (tenant: string, sha256: string): string => `artifacts/${tenant}/${sha256}`,
  artifacts: (tenant: string): string => `artifacts/${tenant}/`,
  /** What is archived of a goal. */
  archive: ({ tenant, goalId }: GoalRef): string => `archive/${tenant}/${goalId}/`,
  archivedRecord: (goal: GoalRef): string => `${objectKeys.archive(goal)}goal.ndjson`,
  archivedArtifact: (goal: GoalRef, sha256: string): string => `${objectKeys.archive(goal)}artifacts/${sha256}`,
  archives: (tenant: string): string => `archive/${tenant}/`,
} as const;
