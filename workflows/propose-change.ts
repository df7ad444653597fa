import { ApplicationFailure, CancellationScope, isCancellation } from '@temporalio/workflow';
import type { OpenedApproval } from '../activities/contract.ts';
import { kernel } from './activities.ts';
import { tryAmend } from './amend-plan.ts';
import type { ProposedChange, ProposeChangeAnswer } from './contract.ts';
import type { Flight } from './flight.ts';
import { draft, recordEvents, type GoalRun } from './goal-run.ts';
import { awaitDecision } from './run-approval.ts';

/** What a goal has under way: its plan, and beside it the changes that people are asked about, which nothing waits for. */
export interface Flights {
  readonly flight: Flight;
  readonly asking: Flight;
}

/**
 * Asks people about a change of the plan, which goes on as it is meanwhile. The change is made once they approve, if it
 * still fits then.
 * @throws the refusal, as a failure of its code
 */
export async function proposeChange(
  run: GoalRun,
  flights: Flights,
  change: ProposedChange,
): Promise<ProposeChangeAnswer> {
  const opened = await CancellationScope.nonCancellable(() => openChange(run, change));
  if (!run.proposed.has(change.changeId)) {
    run.proposed.set(change.changeId, change);
    // Else the next history asks, or nobody: the goal has ended.
    if (!run.control.ended) ask(run, flights, change, () => opened);
  }
  return { approvalId: opened.approvalId };
}

/** Goes on asking about what an earlier history has asked about. */
export function reopenChanges(run: GoalRun, flights: Flights): void {
  for (const change of run.proposed.values()) ask(run, flights, change, () => openChange(run, change));
}

function ask(
  run: GoalRun,
  { flight, asking }: Flights,
  change: ProposedChange,
  open: () => OpenedApproval | Promise<OpenedApproval>,
): void {
  const work = async (): Promise<void> => {
    try {
      await decide(run, flight, { change, opened: await open() });
      run.proposed.delete(change.changeId);
    } catch (error) {
      // The goal ends, or goes on in another history.
      if (!isCancellation(error)) throw error;
    }
  };
  asking.start(work, { waits: true });
}

async function decide(
  run: GoalRun,
  flight: Flight,
  { change, opened }: { readonly change: ProposedChange; readonly opened: OpenedApproval },
): Promise<void> {
  const { changeId, by } = change;
  const { approvalId } = opened;
  const decided = await awaitDecision(run, opened, { taskId: null, what: 'The change of the plan' });
  const { outline } = run;
  const error = decided.approved ? await tryAmend(run, flight, { changeId, by, approvalId }) : decided.error;
  if (!error) return;
  const rejected = { revision: outline.revision, by: 'approval', comment: null, changeId, approvalId, error };
  await recordEvents(run.goal, draft('plan.rejected', rejected));
}

async function openChange({ goal }: GoalRun, { changeId, terms }: ProposedChange): Promise<OpenedApproval> {
  const opened = await kernel.openChange({ goal, changeId, terms });
  if ('error' in opened) throw ApplicationFailure.nonRetryable(opened.error.message, opened.error.code);
  return opened.approval;
}
