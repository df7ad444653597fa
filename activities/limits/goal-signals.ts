import type { GoalId } from '../../domain/schemas/common.ts';

/** What limits ask of goals' workflows. */
export interface GoalSignals {
  /** @throws what Temporal's client throws, when nobody can say */
  isRunning(goalId: GoalId): Promise<boolean>;
  /** Tells a goal that waits to ask again. Never throws: it would ask again by itself. */
  slotsFreed(goalIds: readonly GoalId[]): Promise<void>;
  /** Never throws: it is asked for again as long as the goal is in the way. */
  cancel(goalId: GoalId, reason: string): Promise<void>;
}
