import { AstraError } from '../../domain/errors.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { readGoal, stateOf, type ReadGoal, type ReadGoalDeps } from './read-goal.ts';

export const goalFinished = ({ goalId }: GoalRef): AstraError =>
  new AstraError('ASTRA_GOAL_FINISHED', `The goal ${goalId} has already ended.`);

/** The goal, for the tenant's eyes, when it can still be told something. @throws ASTRA_GOAL_FINISHED, ASTRA_NOT_FOUND */
export async function readOpenGoal(deps: ReadGoalDeps, goal: GoalRef): Promise<ReadGoal> {
  const view = await readGoal(deps, goal);
  if (isFinalGoal(stateOf(view).status)) throw goalFinished(goal);
  return view;
}
