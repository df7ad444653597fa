import { CancellationScope } from '@temporalio/workflow';
import type { BeginGoalResult, BegunGoal, PlanGoalArgs } from '../activities/contract.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { approvalId } from '../domain/ids.ts';
import type { GoalSubmission } from '../domain/schemas/goal.ts';
import { kernel, planner } from './activities.ts';
import type { GoalWorkflowInput } from './contract.ts';
import type { GoalControl } from './control.ts';
import { failure } from './goal-ending.ts';
import type { GoalPage } from './goal-page.ts';
import { draft, recordEvents } from './goal-run.ts';
import type { GoalSlots } from './goal-slots.ts';
import { awaitDecision } from './run-approval.ts';

interface Planning {
  readonly goal: GoalRef;
  readonly control: GoalControl;
  readonly page: GoalPage;
  readonly slots: GoalSlots;
  /** Called when the submission is recorded. */
  readonly onSubmitted: () => void;
}

/**
 * Has the goal planned, by its author, a template or a model, and approved, by policy or by people. What is quick at the
 * beginning of a plan that needs no approval has been run, too. The goal has its slots when this resolves.
 */
export async function planGoal(planning: Planning, input: GoalWorkflowInput): Promise<BegunGoal> {
  const { submission } = input;
  if (!submission)
    throw failure({ code: 'ASTRA_INTERNAL', message: 'A continued goal has no plan.', retryable: false });
  const { goal } = planning;
  const { submittedAt, parentGoalId, bodyHash, depth } = input;
  const byModel = !submission.plan && !submission.template;
  const args = { goal, submission, parentGoalId, submittedAt, bodyHash, depth };
  const planned = byModel ? await planByModel(planning, args) : await planAsGiven(planning, args);
  if ('error' in planned) throw failure(planned.error);
  if (submission.approval?.plan === 'required') await approvePlan(planning, submission, planned.outline.revision);
  await planning.slots.held();
  return planned;
}

// A goal that is cancelled at once is recorded all the same: its submission comes before everything else.

async function planAsGiven({ onSubmitted, control, slots }: Planning, args: PlanGoalArgs): Promise<BeginGoalResult> {
  const planOnly = control.scope.consideredCancelled;
  const begun = await CancellationScope.nonCancellable(() => kernel.beginGoal(planOnly ? { ...args, planOnly } : args));
  slots.note(begun.slots);
  onSubmitted();
  return begun;
}

async function planByModel({ onSubmitted, page, slots }: Planning, args: PlanGoalArgs): Promise<BeginGoalResult> {
  page.showStatus('planning');
  const submitted = await CancellationScope.nonCancellable(() => kernel.recordSubmission(args));
  onSubmitted();
  // Histories from before there were limits have no answer here.
  if (submitted && 'error' in submitted) return submitted;
  slots.note(submitted?.slots);
  // A model's work is paid for: it is the goal's first.
  await slots.held();
  const planned = await planner.planGoalWithModel(args);
  return 'error' in planned ? planned : { ...planned, begun: null, completed: false };
}

async function approvePlan(
  { goal, control, page }: Planning,
  submission: GoalSubmission,
  revision: number,
): Promise<void> {
  const required = submission.approval?.required ?? 1;
  const request = {
    approvalId: approvalId(goal.goalId, null),
    kind: 'plan',
    prompt: `Approve the plan of: ${submission.objective ?? goal.goalId}`,
    input: null,
    required,
    expiresAt: null,
  } as const;
  await recordEvents(goal, draft('approval.requested', request));
  page.showStatus('awaiting_approval');
  const opened = {
    approvalId: request.approvalId,
    required,
    approvedBy: [],
    status: 'pending',
    expiresSeconds: null,
  } as const;
  const approval = await awaitDecision({ goal, control }, opened, null);
  if (approval === 'expired' || approval.status === 'rejected') {
    await recordEvents(goal, draft('plan.rejected', { revision, by: 'approval', comment: null }));
    throw failure({ code: 'ASTRA_APPROVAL_REJECTED', message: 'The plan was rejected.', retryable: false });
  }
  await recordEvents(goal, draft('plan.approved', { revision, by: 'approval' }));
}
