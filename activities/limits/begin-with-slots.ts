import { goalHeadOf } from '../../domain/goal-head.ts';
import type { BeginGoalArgs, BeginGoalResult, KernelActivities } from '../contract.ts';
import type { BeginGoal } from '../execution/begin-goal.ts';
import { draft } from '../execution/drafts.ts';
import { recordSubmission } from '../planner/record-planning.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { GoalSlots } from './goal-slots.ts';

interface Deps {
  readonly begin: BeginGoal;
  readonly recorder: Recorder;
  readonly slots: GoalSlots;
}

/** A goal begins with its slots. While it must wait for them it is planned only, and shows what it waits for. */
export function createBeginWithSlots(deps: Deps): KernelActivities['beginGoal'] {
  const { begin, slots } = deps;
  return (args) => (slots.mayApply({ ...args, ...args.goal }) ? beginLimited(deps, args) : begin(args));
}

async function beginLimited({ begin, recorder, slots }: Deps, args: BeginGoalArgs): Promise<BeginGoalResult> {
  const { goal, submission, planOnly } = args;
  // While people think about a plan it holds no slot: the workflow asks when they have let it run.
  if (planOnly || submission.approval?.plan === 'required')
    return { ...(await begin(args)), slots: { waitSeconds: 0 } };
  const answer = await slots.ask(goalHeadOf({ ...args, ...goal }));
  switch (answer?.outcome) {
    case undefined:
      return begin(args);
    case 'rejected':
      await recordSubmission(recorder, args);
      return { error: answer.error };
    case 'taken':
      return { ...(await begin(args)), slots: 'held' };
    case 'waits': {
      const { waitingFor, waitSeconds } = answer;
      const begun = await begin({ ...args, planOnly: true }, [draft('goal.queued', { waitingFor })]);
      return { ...begun, slots: { waitSeconds } };
    }
  }
}
