import type { GoalRecord, TaskState } from '../domain/goal-record.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { GoalHead, GoalState } from '../domain/schemas/goal.ts';

/** A goal and its tasks as they stand, without the items of maps. */
export interface GoalStanding {
  readonly head: GoalHead;
  readonly state: GoalState;
  readonly outline: PlanOutline | null;
  /** Those that an event has touched. */
  readonly tasks: ReadonlyMap<string, TaskState>;
  /** Events that happen once and show nowhere else. */
  readonly marks: ReadonlySet<string>;
}

/** Null before the goal is submitted. */
export const standingOf = ({ head, state, outline, tasks, marks }: GoalRecord): GoalStanding | null =>
  head && { head, state, outline, tasks, marks };
