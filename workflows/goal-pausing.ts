import type { GoalWorkflowInput } from './contract.ts';
import { createGoalPolicy, type GoalPolicy } from './goal-policy.ts';
import { recordEvents, type GoalRun } from './goal-run.ts';
import { createPause } from './pause.ts';
import { pauseGoal } from './pause-goal.ts';

/**
 * How a goal is paused: on request, with the goal above it, and by its own policy. Call it before the first await, or early
 * messages are lost.
 */
export function createGoalPausing(
  input: GoalWorkflowInput,
  { control, page }: Pick<GoalRun, 'control' | 'page'>,
  options: { readonly isSubmitted: () => boolean },
): Pick<GoalRun, 'pause' | 'policy'> {
  const { tenant, goalId, carried } = input;
  const policy = policyOf(input, (reason) => pauseGoal({ pause }, reason));
  const pause = createPause({
    ...options,
    carried: carried?.pause,
    record: (event) => recordEvents({ tenant, goalId }, event),
    isCancelled: () => control.scope.consideredCancelled,
    onChange: page.showPaused,
    onResumed: () => policy?.restart(),
  });
  return { pause, policy };
}

function policyOf({ submission, carried }: GoalWorkflowInput, pause: (reason: string) => void): GoalPolicy | null {
  const { pauseOn } = submission ?? {};
  const policy = carried?.policy ?? (pauseOn && { on: pauseOn });
  return policy ? createGoalPolicy(policy, pause) : null;
}
