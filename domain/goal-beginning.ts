import { AstraError } from './errors.ts';
import { acceptedState } from './goal-record.ts';
import { limits } from './limits.ts';
import type { GoalId } from './schemas/common.ts';
import type { GoalState, GoalSubmission, WaitingFor } from './schemas/goal.ts';

/** Must something be found out before the goal may begin? Most goals begin at once and are asked nothing but this. */
export const isHeld = ({ startAt, delaySeconds, dependsOnGoalIds, cascadeId }: GoalSubmission): boolean =>
  startAt !== undefined || delaySeconds !== undefined || dependsOnGoalIds !== undefined || cascadeId !== undefined;

/** When the goal may begin, RFC 3339; null: the submission does not say. */
export function startTimeOf(
  { startAt, delaySeconds }: Pick<GoalSubmission, 'startAt' | 'delaySeconds'>,
  submittedAt: string,
): string | null {
  if (startAt !== undefined) return new Date(startAt).toISOString();
  if (delaySeconds === undefined) return null;
  return new Date(Date.parse(submittedAt) + delaySeconds * 1_000).toISOString();
}

/** @throws ASTRA_BODY_INVALID for a time that is too far ahead; one that has passed means at once */
export function requireStartTime({ startAt }: Pick<GoalSubmission, 'startAt'>, nowMs: number): void {
  if (startAt === undefined || Date.parse(startAt) <= nowMs + limits.startDelaySeconds * 1_000) return;
  throw new AstraError(
    'ASTRA_BODY_INVALID',
    'A goal starts at most a year ahead. Submit it later, or use a schedule.',
    {
      faults: [{ pointer: '/startAt', message: 'is more than a year ahead' }],
    },
  );
}

export const waitForGoals = (goalIds: readonly GoalId[]): WaitingFor => ({
  kind: 'dependency',
  detail: goalIds.join(', '),
  until: null,
});
export const waitForTime = (until: string): WaitingFor => ({ kind: 'timer', detail: 'startAt', until });

/** A goal of which nothing is recorded yet, as its submission says that it will be. */
export function acceptedStateOf(goal: {
  readonly submission: GoalSubmission;
  readonly submittedAt: string;
}): GoalState {
  const { submission, submittedAt } = goal;
  if (!isHeld(submission)) return acceptedState;
  const { dependsOnGoalIds = [] } = submission;
  if (dependsOnGoalIds.length > 0) return { ...acceptedState, waitingFor: waitForGoals(dependsOnGoalIds) };
  const startAt = startTimeOf(submission, submittedAt);
  return startAt !== null && startAt > submittedAt
    ? { ...acceptedState, waitingFor: waitForTime(startAt) }
    : acceptedState;
}
