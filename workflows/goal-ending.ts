import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  TemporalFailure,
} from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { GoalWorkflowResult } from './contract.ts';
import { compensateGoal } from './compensate-goal.ts';
import type { GoalControl } from './control.ts';
import type { GoalPage } from './goal-page.ts';
import { draft, recordEvents } from './goal-run.ts';

/** Ends the goal as failed: in the record first, then in Temporal. */
export const failure = ({ code, message }: ErrorInfo): ApplicationFailure =>
  ApplicationFailure.nonRetryable(message, code);

/** Whoever has voted is answered before the execution ends. */
export const votersAnswered = (): Promise<void> =>
  CancellationScope.nonCancellable(() => condition(allHandlersFinished));

/** @throws the failure, so that Temporal shows the execution as failed too; what is no Temporal failure is a fault of this code */
export async function endFailed(goal: GoalRef, page: GoalPage, error: unknown): Promise<never> {
  if (!(error instanceof TemporalFailure)) throw error;
  const info = errorInfoOf(error);
  await votersAnswered();
  await CancellationScope.nonCancellable(() => recordEvents(goal, draft('goal.failed', { error: info })));
  page.showStatus('failed');
  throw failure(info);
}

/** Records a request to cancel as soon as it comes and the goal itself is recorded. */
export function announceCancelling(
  goal: GoalRef,
  control: GoalControl,
  options: { readonly page: GoalPage; readonly isSubmitted: () => boolean },
): { readonly announced: Promise<void> } {
  const announce = async (): Promise<void> => {
    await condition(options.isSubmitted);
    // Behind the cancels of what runs, however deep it stands: in the order that kept histories have.
    await Promise.resolve();
    options.page.showStatus('cancelling');
    const { cancelReason: reason, compensate } = control;
    await recordEvents(goal, draft('goal.cancelling', { reason, ...(compensate && { compensate }) }));
  };
  return {
    announced: control.scope.cancelRequested.catch(() => CancellationScope.nonCancellable(announce)),
  };
}

/** Everything has stopped: what has completed is taken back first, if that was asked for. */
export async function endCancelled(goal: GoalRef, page: GoalPage, control: GoalControl): Promise<GoalWorkflowResult> {
  await votersAnswered();
  const { cancelReason: reason, compensate } = control;
  const error = compensate ? await compensateGoal(goal) : null;
  const cancelled = draft('goal.cancelled', { reason, ...(error && { error }) });
  await CancellationScope.nonCancellable(() => recordEvents(goal, cancelled));
  page.showStatus('cancelled');
  // Temporal calls an execution cancelled only if it was asked to cancel it; Astra's own signal ends it all the same.
  if (CancellationScope.current().consideredCancelled) throw new CancelledFailure(reason ?? 'cancelled');
  return { status: 'cancelled' };
}

function errorInfoOf(error: TemporalFailure): ErrorInfo {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  const code = cause instanceof ApplicationFailure && cause.type?.startsWith('ASTRA_') ? cause.type : 'ASTRA_INTERNAL';
  return { code, message: cause?.message ?? error.message, retryable: false };
}
