import type { GoalId } from './schemas/common.ts';

/** Names a goal everywhere: no look-up, key or row goes without its tenant. */
export interface GoalRef {
  readonly tenant: string;
  readonly goalId: GoalId;
}
