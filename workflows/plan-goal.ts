import { CancellationScope } from '@temporalio/workflow';
import { isHeld } from '../domain/goal-beginning.ts';
import type { BeginGoalResult, BegunGoal, PlanGoalArgs, RetryGoalResult } from '../activities/contract.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { approvalId } from '../domain/ids.ts';
import { replanTermsOf } from '../domain/replans.ts';
import type { GoalSubmission } from '../domain/schemas/goal.ts';
import { kernel, planner } from './activities.ts';
import type { CarriedGoal, ForkMessage, GoalWorkflowInput, RetryGoalMessage } from './contract.ts';
import { awaitBeginning } from './await-beginning.ts';
import type { GoalControl } from './control.ts';
import { failure } from './goal-ending.ts';
import type { GoalPage } from './goal-page.ts';
import { draft, recordEvents } from './goal-run.ts';
import type { Pause } from './pause.ts';
import type { GoalSlots } from './goal-slots.ts';
import { awaitDecision } from './run-approval.ts';

export interface Planning {
  readonly goal: GoalRef;
  readonly control: GoalControl;
  readonly pause: Pause;
  readonly page: GoalPage;
  readonly slots: GoalSlots;
  /** Called when the submission is recorded. */
  readonly onSubmitted: () => void;
}

type Begun = BegunGoal & Partial<Pick<CarriedGoal, 'settled' | 'replans' | 'proposed'>>;

/**
 * Has the goal planned, by its author, a template or a model, and approved, by policy or by people. What is quick at the
 * beginning of a plan that needs no approval has been run, too. The goal has its slots when this resolves.
 */
export async function planGoal(planning: Planning, input: GoalWorkflowInput): Promise<Begun> {
  const { submission, retry } = input;
  if (retry) return reopenGoal(planning, retry);
  if (!submission)
    throw failure({ code: 'ASTRA_INTERNAL', message: 'A continued goal has no plan.', retryable: false });
  const { goal } = planning;
  const { submittedAt, parentGoalId, bodyHash, submittedBy, depth, budgetScopes } = input;
  if (input.fork) return forkGoal(planning, input, { submission, fork: input.fork });
  const byModel = !submission.plan && !submission.template;
  const inherited = budgetScopes && { budgetScopes };
  const args = { goal, submission, parentGoalId, submittedAt, bodyHash, submittedBy, depth, ...inherited };
  if (isHeld(submission)) await awaitBeginning(planning, args);
  const planned = byModel ? await planByModel(planning, args) : await planAsGiven(planning, args);
  if ('error' in planned) throw failure(planned.error);
  if (submission.approval?.plan === 'required') await approvePlan(planning, submission, planned.outline.revision);
  await planning.slots.held();
  const replans = replanTermsOf(submission);
  return replans ? { ...planned, replans } : planned;
}

async function forkGoal(
  planning: Planning,
  { submittedAt, parentGoalId, bodyHash, submittedBy, depth, budgetScopes }: GoalWorkflowInput,
  given: { readonly submission: GoalSubmission; readonly fork: ForkMessage },
): Promise<Begun> {
  const { goal } = planning;
  const about = { submittedAt, parentGoalId, bodyHash, submittedBy, depth, ...(budgetScopes && { budgetScopes }) };
  const args = { goal, ...about, ...given };
  const replans = replanTermsOf(given.submission);
  const forked = await beginAgain(planning, () => kernel.forkGoal(args));
  return replans ? { ...forked, replans } : forked;
}

function reopenGoal(planning: Planning, { request, ...about }: RetryGoalMessage): Promise<Begun> {
  const { goal } = planning;
  return beginAgain(planning, () => kernel.retryGoal({ goal, retry: request, ...about }));
}

/** With what has settled in another goal, or in an earlier run. */
async function beginAgain({ slots, onSubmitted }: Planning, record: () => Promise<RetryGoalResult>): Promise<Begun> {
  const recorded = await CancellationScope.nonCancellable(record);
  slots.note(recorded.slots);
  onSubmitted();
  if ('error' in recorded) throw failure(recorded.error);
  await slots.held();
  return { ...recorded, begun: null, completed: false };
}

// A goal that is cancelled at once is recorded all the same: its submission comes before everything else.

async function planAsGiven(
  { onSubmitted, control, slots, pause }: Planning,
  args: PlanGoalArgs,
): Promise<BeginGoalResult> {
  const planOnly = control.scope.consideredCancelled || pause.isPaused;
  const begun = await CancellationScope.nonCancellable(() => kernel.beginGoal(planOnly ? { ...args, planOnly } : args));
  slots.note(begun.slots);
  onSubmitted();
  return begun;
}

async function planByModel(
  { onSubmitted, page, slots, pause }: Planning,
  args: PlanGoalArgs,
): Promise<BeginGoalResult> {
  page.showStatus('planning');
  const submitted = await CancellationScope.nonCancellable(() => kernel.recordSubmission(args));
  onSubmitted();
  // Histories from before there were limits have no answer here.
  if (submitted && 'error' in submitted) return submitted;
  slots.note(submitted?.slots);
  // A model's work is paid for: it is the goal's first.
  await slots.held();
  if (pause.isPaused) await pause.over();
  const planned = await planner.planGoalWithModel(args);
  return 'error' in planned ? planned : { ...planned, begun: null, completed: false };
}

async function approvePlan(
  { goal, control, page, pause }: Planning,
  submission: GoalSubmission,
  revision: number,
): Promise<void> {
  const { required = 1, deciders, expiresSeconds = null, onExpiry } = submission.approval ?? {};
  const terms = {
    approvalId: approvalId(goal.goalId, null),
    required,
    ...(deciders && { deciders }),
    ...(onExpiry === 'approve' && { onExpiry }),
  };
  const request = {
    ...terms,
    kind: 'plan',
    prompt: `Approve the plan of: ${submission.objective ?? goal.goalId}`,
    input: null,
    expiresAt: expiresSeconds === null ? null : new Date(Date.now() + expiresSeconds * 1_000).toISOString(),
    ...(submission.agentId !== undefined && { agentId: submission.agentId }),
  } as const;
  await recordEvents(goal, draft('approval.requested', request));
  page.showStatus('awaiting_approval');
  const opened = { ...terms, approvedBy: [], status: 'pending', expiresSeconds } as const;
  const decided = await awaitDecision({ goal, control, pause }, opened, { taskId: null, what: 'The plan' });
  if (!decided.approved) {
    await recordEvents(goal, draft('plan.rejected', { revision, by: 'approval', comment: null }));
    throw failure(decided.error);
  }
  await recordEvents(goal, draft('plan.approved', { revision, by: 'approval' }));
}
