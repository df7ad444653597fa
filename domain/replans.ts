import type { GoalSubmission } from './schemas/goal.ts';

const defaultReplans = 3;
/** Falls back on what the goal's template names. */
export const fallbackPlanner = 'fallback';

/** Who mends a goal's plan when a task has failed, and how often it is asked. */
export interface ReplanTerms {
  readonly planner: string;
  readonly limit: number;
}

/** Null: a task that fails for good fails the goal. */
export function replanTermsOf({
  onTaskFailure,
  planner = fallbackPlanner,
  maxReplans: limit = defaultReplans,
}: Pick<GoalSubmission, 'onTaskFailure' | 'planner' | 'maxReplans'>): ReplanTerms | null {
  return onTaskFailure === 'replan' ? { planner, limit } : null;
}
