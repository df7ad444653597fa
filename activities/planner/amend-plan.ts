import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { changeMark } from '../../domain/goal-news.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import { changePlan, diffPlans, reviseOutline } from '../../domain/plan-change.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { PlanChange } from '../../domain/schemas/plan-change.ts';
import type { PlanProposals } from '../../stores/postgres/plan-proposals.ts';
import type { AmendPlanArgs, KernelActivities } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import { markQuickTools } from '../execution/tool-pace.ts';
import type { Recorder } from '../projection/recorder.ts';
import { guardPlan } from './guard-plan.ts';
import type { PlannerDeps } from './plan-as-given.ts';

type Deps = Pick<PlannerDeps, 'catalogue' | 'pace' | 'policies'> & {
  readonly recorder: Recorder;
  readonly proposals: PlanProposals;
};

/**
 * Changes the plan of a running goal. Should the process die before it has told, this runs again: the change is known by
 * its id, and what is recorded of it counts.
 */
export function createAmendPlan(deps: Deps): KernelActivities['amendPlan'] {
  const { recorder, catalogue, pace, policies } = deps;
  return (args) =>
    orRefused(async () => {
      const { goal, by, changeId, approvalId, failedTask } = args;
      const before = await recorder.standing(goal);
      if (before?.outline && before.marks.has(changeMark(changeId))) return { outline: before.outline };
      const change = args.change ?? (await keptChange(deps, args));
      requireRevision(goal, before?.outline ?? null, change.baseRevision);
      const { plan, params, outline: old } = await recorder.plan(goal);
      const changed = changePlan(plan, change);
      const revision = old.revision + 1;
      const validated = validatePlan(changed, await catalogue(), { revision, source: old.source });
      const { added, removed, replaced } = diffPlans(plan, validated.plan);
      requireMended([...removed, ...replaced], failedTask);
      const anew = new Set([...added, ...replaced]);
      const { agentId } = await recorder.head(goal);
      const guarded = await guardPlan(policies, goal, { outline: markQuickTools(validated.outline, pace), agentId });
      const outline = reviseOutline(guarded, old, anew);
      const { reason = null } = change;
      const why = { ...(approvalId !== undefined && { approvalId }), ...(failedTask !== undefined && { failedTask }) };
      await recorder.record(
        goal,
        [draft('plan.amended', { outline, added, removed, replaced, reason, by, changeId, ...why })],
        { plan: { plan: validated.plan, outline, params } },
      );
      const after = await recorder.standing(goal);
      if (after?.marks.has(changeMark(changeId))) return { outline };
      throw new AstraError(
        'ASTRA_PLAN_CONFLICT',
        'The change touches a task that has finished, or the goal is ending. Read the graph and change what has not run.',
      );
    });
}

async function keptChange({ proposals }: Deps, { goal, changeId }: AmendPlanArgs): Promise<PlanChange> {
  const kept = await proposals.get(goal, changeId);
  if (!kept) throw new AstraError('ASTRA_INTERNAL', `No change is kept under ${changeId}.`);
  return kept.change;
}

function requireMended(gone: readonly string[], failedTask: string | undefined): void {
  if (failedTask === undefined || gone.includes(failedTask)) return;
  const message = `The change leaves "${failedTask}" as it is, which has failed. Remove it, or replace it by another task.`;
  throw new AstraError('ASTRA_PLAN_INVALID', message);
}

/** @throws ASTRA_PLAN_CONFLICT */
export function requireRevision(goal: GoalRef, outline: PlanOutline | null, baseRevision: number): void {
  const current = outline?.revision ?? 0;
  if (current === baseRevision && revisionOf(goal) === baseRevision) return;
  throw new AstraError(
    'ASTRA_PLAN_CONFLICT',
    `The plan is at revision ${current}, and the change is to revision ${baseRevision}. Read the plan and change that.`,
  );
}

/** What people can mend is an answer; what passes by is tried again. */
export async function orRefused<T>(work: () => Promise<T>): Promise<T | { readonly error: ErrorInfo }> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AstraError) || error.retryable) throw error;
    return { error: toErrorInfo(error) };
  }
}
