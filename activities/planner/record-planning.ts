import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { goalHeadOf } from '../../domain/goal-head.ts';
import type { JsonObject } from '../../domain/json.ts';
import { limits } from '../../domain/limits.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { ValidatedPlan } from '../../domain/plan-validation/validate-plan.ts';
import type { PlanGoalArgs, PlanGoalResult } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import type { Recorder } from '../projection/recorder.ts';

export interface PlannedGoal extends ValidatedPlan {
  readonly params: JsonObject;
  /** What the template makes of the objective. */
  readonly objective?: string;
}

/** Records what comes of `plan`: a plan, or, with its submission, that there is none. A recorded plan is not made again. */
export async function recordPlanning(
  recorder: Recorder,
  args: PlanGoalArgs,
  plan: () => Promise<PlannedGoal>,
): Promise<PlanGoalResult> {
  const { goal, submission, bodyHash, submittedBy } = args;
  const recorded = await recordedOutline(recorder, args);
  if (recorded) return { outline: recorded };
  const documents = submission.documents ?? [];
  try {
    requireDepth(args);
    const planned = await plan();
    const { plan: body, outline, params } = planned;
    await recorder.record(goal, planningDrafts(args, planned), {
      plan: { plan: body, outline, params },
      submission: { documents, bodyHash, submittedBy },
    });
    return { outline };
  } catch (error) {
    if (!(error instanceof AstraError) || error.retryable) throw error;
    await recordSubmission(recorder, args);
    return { error: toErrorInfo(error) };
  }
}

/**
 * A template may start itself: how deep its goals stand in one another shows only as they run.
 * @throws ASTRA_PLAN_INVALID
 */
export function requireDepth({ depth }: PlanGoalArgs): void {
  if (depth <= limits.subGoalDepth) return;
  throw new AstraError('ASTRA_PLAN_INVALID', `Goals may stand in one another at most ${limits.subGoalDepth} deep.`);
}

/** Null: no plan is recorded of the goal. */
export async function recordedOutline(recorder: Recorder, { goal }: PlanGoalArgs): Promise<PlanOutline | null> {
  try {
    return (await recorder.plan(goal)).outline;
  } catch (error) {
    if (error instanceof AstraError && error.code === 'ASTRA_NOT_FOUND') return null;
    throw error;
  }
}

/** @param more what is recorded with it */
export async function recordSubmission(
  recorder: Recorder,
  args: PlanGoalArgs,
  more: readonly EventDraft[] = [],
): Promise<void> {
  const { goal, bodyHash, submittedBy } = args;
  const { documents = [] } = args.submission;
  await recorder.record(goal, [submitted(args), ...more], { submission: { documents, bodyHash, submittedBy } });
}

const submitted = (
  args: PlanGoalArgs & { readonly forkedFrom?: GoalHead['forkedFrom'] },
  objective?: string,
): EventDraft => draft('goal.submitted', { head: goalHeadOf({ ...args, ...args.goal }, objective) });

/** What is recorded of a goal and its plan, in order. */
export function planningDrafts(
  args: PlanGoalArgs & { readonly forkedFrom?: GoalHead['forkedFrom'] },
  { outline, objective }: PlannedGoal,
): EventDraft[] {
  const { documents = [], approval } = args.submission;
  const sizeBytes = documents.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  return [
    submitted(args, objective),
    ...(documents.length > 0 ? [draft('goal.context_assembled', { documents: documents.length, sizeBytes })] : []),
    draft('plan.proposed', { outline }),
    ...(approval?.plan === 'required' ? [] : [draft('plan.approved', { revision: outline.revision, by: 'policy' })]),
  ];
}
