import { CancellationScope } from '@temporalio/workflow';
import type { BeginGoalResult, PlanGoalArgs } from '../activities/contract.ts';
import { isHeld } from '../domain/goal-beginning.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { approvalId } from '../domain/ids.ts';
import { replanTermsOf } from '../domain/replans.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { GoalSubmission } from '../domain/schemas/goal.ts';
import { kernel, planner } from './activities.ts';
import type { CarriedGoal, ForkMessage, GoalWorkflowInput, RetryGoalMessage } from './contract.ts';
import { awaitBeginning } from './await-beginning.ts';
import type { GoalControl } from './control.ts';
import { failure } from './goal-ending.ts';
import type { GoalPage } from './goal-page.ts';
import { draft, recordEvents } from './goal-run.ts';
import { awaitDecision } from './run-approval.ts';

export interface Planning {
  readonly goal: GoalRef;
  readonly control: GoalControl;
  readonly page: GoalPage;
  /** Called when the submission is recorded. */
  readonly onSubmitted: () => void;
}

type Begun = Exclude<BeginGoalResult, { readonly error: ErrorInfo }> &
  Partial<Pick<CarriedGoal, 'settled' | 'replans' | 'proposed'>>;

/**
 * Has the goal planned, by its author, a template or a model, and approved, by policy or by people. What is quick at the
 * beginning of a plan that needs no approval has been run, too.
 */
export async function planGoal(planning: Planning, input: GoalWorkflowInput): Promise<Begun> {
  const { submission, retry } = input;
  if (retry) return reopenGoal(planning, retry);
  if (!submission)
    throw failure({ code: 'ASTRA_INTERNAL', message: 'A continued goal has no plan.', retryable: false });
  const { goal } = planning;
  const { submittedAt, parentGoalId, bodyHash, submittedBy, depth } = input;
  if (input.fork) return forkGoal(planning, input, { submission, fork: input.fork });
  const byModel = !submission.plan && !submission.template;
  const args = { goal, submission, parentGoalId, submittedAt, bodyHash, submittedBy, depth };
  if (isHeld(submission)) await awaitBeginning(planning, args);
  const planned = byModel ? await planByModel(planning, args) : await planAsGiven(planning, args);
  if ('error' in planned) throw failure(planned.error);
  if (submission.approval?.plan === 'required') await approvePlan(planning, submission, planned.outline.revision);
  const replans = replanTermsOf(submission);
  return replans ? { ...planned, replans } : planned;
}

async function forkGoal(
  { goal, onSubmitted }: Planning,
  { submittedAt, parentGoalId, bodyHash, submittedBy, depth }: GoalWorkflowInput,
  given: { readonly submission: GoalSubmission; readonly fork: ForkMessage },
): Promise<Begun> {
  const args = { goal, submittedAt, parentGoalId, bodyHash, submittedBy, depth, ...given };
  const forked = await CancellationScope.nonCancellable(() => kernel.forkGoal(args));
  onSubmitted();
  if ('error' in forked) throw failure(forked.error);
  const replans = replanTermsOf(given.submission);
  return { ...forked, begun: null, completed: false, ...(replans && { replans }) };
}

async function reopenGoal({ goal, onSubmitted }: Planning, { request, ...about }: RetryGoalMessage): Promise<Begun> {
  const reopened = await CancellationScope.nonCancellable(() => kernel.retryGoal({ goal, retry: request, ...about }));
  onSubmitted();
  if ('error' in reopened) throw failure(reopened.error);
  return { ...reopened, begun: null, completed: false };
}

// A goal that is cancelled at once is recorded all the same: its submission comes before everything else.

async function planAsGiven({ onSubmitted, control }: Planning, args: PlanGoalArgs): Promise<BeginGoalResult> {
  const planOnly = control.scope.consideredCancelled;
  const begun = await CancellationScope.nonCancellable(() => kernel.beginGoal(planOnly ? { ...args, planOnly } : args));
  onSubmitted();
  return begun;
}

async function planByModel({ onSubmitted, page }: Planning, args: PlanGoalArgs): Promise<BeginGoalResult> {
  page.showStatus('planning');
  await CancellationScope.nonCancellable(() => kernel.recordSubmission(args));
  onSubmitted();
  const planned = await planner.planGoalWithModel(args);
  return 'error' in planned ? planned : { ...planned, begun: null, completed: false };
}

async function approvePlan(
  { goal, control, page }: Planning,
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
  const decided = await awaitDecision({ goal, control }, opened, { taskId: null, what: 'The plan' });
  if (!decided.approved) {
    await recordEvents(goal, draft('plan.rejected', { revision, by: 'approval', comment: null }));
    throw failure(decided.error);
  }
  await recordEvents(goal, draft('plan.approved', { revision, by: 'approval' }));
}
