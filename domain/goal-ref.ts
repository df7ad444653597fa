import type { GoalId } from './schemas/common.ts';

/** Names a goal everywhere: no look-up, key or row goes without its tenant. */
export interface GoalRef {
  readonly tenant: string;
  readonly goalId: GoalId;
  /** Revision of the plan that the caller works by; 1 unless given. What it says of tasks begun anew since is no news. */
  readonly revision?: number;
}

export const revisionOf = ({ revision = 1 }: Pick<GoalRef, 'revision'>): number => revision;
