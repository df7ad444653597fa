import { CancellationScope, CancelledFailure, condition, defineSignal, setHandler, sleep } from '@temporalio/workflow';
import type { PlanGoalArgs } from '../activities/contract.ts';
import { kernel } from './activities.ts';
import { messages } from './contract.ts';
import { failure } from './goal-ending.ts';
import type { Planning } from './plan-goal.ts';

export const awaitedGoalEndedSignal = defineSignal(messages.awaitedGoalEnded);

/** A goal that waits for others looks at them when it is told, and else after 1 s, 2 s, 4 s and so on up to this. */
const longestPauseMs = 4 * 3_600_000;
const pauseMs = (looks: number): number => Math.min(1_000 * 2 ** looks, longestPauseMs);

/**
 * Waits for the goal's date, and for the goals that it depends on. It is a wait inside of the workflow, not a start that
 * Temporal puts off: the goal is in the record from the beginning, and a signal neither begins it nor has to be refused.
 * @throws a failure when one of those goals did not complete; a cancellation
 */
export async function awaitBeginning(
  { control, onSubmitted }: Pick<Planning, 'control' | 'onSubmitted'>,
  args: PlanGoalArgs,
): Promise<void> {
  let ended = 0;
  setHandler(awaitedGoalEndedSignal, () => {
    ended += 1;
  });
  for (let looks = 0; ; looks += 1) {
    const seen = ended;
    const hold = await CancellationScope.nonCancellable(() => kernel.holdGoal(args));
    onSubmitted();
    switch (hold.kind) {
      case 'free':
        return;
      case 'failed':
        throw failure(hold.error);
      case 'cancelled':
        control.cancel({ reason: hold.reason });
        throw new CancelledFailure(hold.reason ?? 'cancelled');
      case 'time':
        await sleep(hold.seconds * 1_000, { summary: 'until the goal may begin' });
        break;
      case 'goals':
        await condition(() => ended > seen, pauseMs(looks));
        break;
    }
  }
}
