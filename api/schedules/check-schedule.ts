import type { Fault } from '../../domain/errors.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import { faultsError, parseWith } from '../../domain/schemas/parse.ts';
import { scheduleFrameSchema, type ScheduleDefinition } from '../../domain/schemas/schedule.ts';
import { faultsUnder } from '../faults-under.ts';
import { checkSubmission, type CheckSubmissionDeps } from '../goals/check-submission.ts';

const ownTiming = ['startAt', 'delaySeconds', 'dependsOnGoalIds'] as const satisfies readonly (keyof GoalSubmission)[];

/**
 * Validates a schedule, its goal as `POST /v1/goals` would. A template is looked at again for each run.
 * @throws what `checkSubmission` throws, with pointers under `/goal`
 */
export async function checkSchedule(
  deps: CheckSubmissionDeps,
  tenant: string,
  body: unknown,
): Promise<ScheduleDefinition> {
  const frame = parseWith(scheduleFrameSchema, body, 'ASTRA_BODY_INVALID', 'The body is not valid');
  const goal = await faultsUnder('/goal', () => checkSubmission(deps, tenant, frame.goal));
  const faults = ownTiming.flatMap((field): Fault[] =>
    goal[field] === undefined ? [] : [{ pointer: `/goal/${field}`, message: 'the schedule says when its goals begin' }],
  );
  if (faults.length > 0) throw faultsError(faults, 'ASTRA_BODY_INVALID', 'The body is not valid');
  return { ...frame, goal };
}
