import { CancellationScope, condition, getExternalWorkflowHandle, isCancellation } from '@temporalio/workflow';
import type { OpenedApproval } from '../activities/contract.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import { kernel } from './activities.ts';
import { goalWorkflowId, type UnparkTasksArgs } from './contract.ts';
import type { Flight } from './flight.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';
import { unparkTasksSignal } from './parking.ts';
import { awaitDecision, type Decided } from './run-approval.ts';

const lifted: UnparkTasksArgs = { reason: 'budget' };
const refused: UnparkTasksArgs = {
  reason: 'budget',
  error: {
    code: 'ASTRA_BUDGET_EXHAUSTED',
    message: 'The budget is used up, and raising it was rejected. Submit what is left with another budget.',
    retryable: false,
  },
};
/** Goals beyond these find out by themselves, a little later. */
const mostTold = 100;

/** Asks people whenever tasks are parked for a budget that they can raise: one question of the goal at a time. */
export function askWhenParked(run: GoalRun, flight: Flight): void {
  let asking = false;
  run.parking.onAsk = () => {
    if (asking) return;
    asking = true;
    const work = async (): Promise<void> => {
      try {
        await askForBudget(run);
      } catch (error) {
        // Given up with the tasks that it was about, or to be taken up again in a new history.
        if (!isCancellation(error)) throw error;
      } finally {
        asking = false;
      }
    };
    flight.start(work, { waits: true });
  };
}

async function askForBudget(run: GoalRun): Promise<void> {
  const { goal, parking } = run;
  const opened = await kernel.askForBudget({ goal });
  if (!opened) return parking.release(lifted);
  const decision = await awaitDecisionWhileParked(run, opened);
  const { approvalId } = opened;
  if (decision === 'moot') return recordEvents(goal, draft('approval.expired', { approvalId }));
  if (!decision.approved) return parking.release(refused);
  const { editedInput } = decision;
  // Once it is approved it is done, whatever becomes of the goal.
  const { waiting } = await CancellationScope.nonCancellable(() =>
    kernel.raiseBudget({ goal, approvalId, editedInput }),
  );
  parking.release(lifted);
  await tellOthers(waiting);
}

/** `moot`: the tasks go on without an answer, as the budget has room again, or have been given up. */
async function awaitDecisionWhileParked(run: GoalRun, opened: OpenedApproval): Promise<Decided | 'moot'> {
  const scope = new CancellationScope();
  try {
    return await scope.run(() =>
      Promise.race([
        awaitDecision(run, opened, { taskId: null, what: 'A higher budget' }),
        condition(() => run.parking.isEmpty).then(() => 'moot' as const),
      ]),
    );
  } finally {
    scope.cancel();
  }
}

/** Other goals count in the same budget: sub-goals, or the goal above. One that has ended needs no telling. */
async function tellOthers(goals: readonly GoalId[]): Promise<void> {
  const telling = goals
    .slice(0, mostTold)
    .map((goalId) => getExternalWorkflowHandle(goalWorkflowId(goalId)).signal(unparkTasksSignal, lifted));
  await Promise.allSettled(telling);
}
