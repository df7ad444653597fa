import { AstraError } from '../../domain/errors.ts';
import { estimateRun, type Estimate, type TaskCost } from '../../domain/estimate.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { changePlan, diffPlans, editInputs, forkPlan, type PlanDiff } from '../../domain/plan-change.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import { chosenTasks, reusableStatus, tasksToRerun, type Rerun } from '../../domain/rerun.ts';
import type { GoalFork, GoalRetry, PlanChange } from '../../domain/schemas/plan-change.ts';
import type { DurationMemory } from '../../stores/duration-memory.ts';
import type { GoalReader } from '../../stores/goal-reader.ts';
import type { GoalStanding } from '../../stores/goal-standing.ts';
import type { RecordedPlan } from '../../stores/goal-write.ts';
import type { ToolCatalogue } from '../../stores/tool-catalogue.ts';

export interface PreviewDeps {
  readonly reader: Pick<GoalReader, 'standing' | 'plan' | 'taskCosts'>;
  readonly durations: Pick<DurationMemory, 'read'>;
  readonly catalogue: ToolCatalogue;
}

export interface ChangePreview {
  readonly diff: PlanDiff;
  readonly estimate: Estimate;
}
export interface RerunPreview extends Rerun {
  readonly estimate: Estimate;
}

/**
 * What a change would do to the plan of a running goal, checked as the goal itself will check it.
 * @throws ASTRA_NOT_FOUND, ASTRA_GOAL_FINISHED, ASTRA_PLAN_CONFLICT, ASTRA_PLAN_INVALID
 */
export async function previewChange(deps: PreviewDeps, goal: GoalRef, change: PlanChange): Promise<ChangePreview> {
  const { standing, plan } = await readPlanned(deps, goal);
  if (isFinalGoal(standing.state.status)) {
    throw new AstraError('ASTRA_GOAL_FINISHED', 'The goal has ended. Retry it, or fork it with another plan.');
  }
  const { revision, source } = plan.outline;
  if (revision !== change.baseRevision) {
    const message = `The plan is at revision ${revision}, and the change is to revision ${change.baseRevision}. Read the plan and change that.`;
    throw new AstraError('ASTRA_PLAN_CONFLICT', message);
  }
  const changed = validatePlan(changePlan(plan.plan, change), await deps.catalogue(), { revision, source });
  const diff = diffPlans(plan.plan, changed.plan);
  const finished = [...diff.removed, ...diff.replaced].filter((id) => isDone(standing, id));
  if (finished.length > 0) {
    const message = `The change touches tasks that have finished: ${finished.join(', ')}. Leave them as they are.`;
    throw new AstraError('ASTRA_PLAN_CONFLICT', message);
  }
  const anew = new Set([...diff.added, ...diff.replaced]);
  return { diff, estimate: await estimate(deps, goal, { standing, outline: changed.outline, willRun: anew }) };
}

/**
 * What of an ended goal would run again.
 * @throws ASTRA_NOT_FOUND, ASTRA_GOAL_RUNNING, ASTRA_PLAN_INVALID
 */
export async function previewRetry(deps: PreviewDeps, goal: GoalRef, retry: GoalRetry): Promise<RerunPreview> {
  const { standing, plan } = await readPlanned(deps, goal);
  if (!isFinalGoal(standing.state.status)) {
    throw new AstraError('ASTRA_GOAL_RUNNING', 'The goal has not ended. Wait until it has, or cancel it first.');
  }
  const { revision, source } = plan.outline;
  const edited = editInputs(plan.plan, retry.inputs ?? {});
  const { outline } = validatePlan(edited, await deps.catalogue(), { revision, source });
  const rerun = tasksToRerun(outline.tasks, (id) => reusableStatus(standing.tasks.get(id)), chosenTasks(retry));
  const willRun = new Set(rerun.willRun);
  return { ...rerun, estimate: await estimate(deps, goal, { standing, outline, willRun }) };
}

/**
 * What of a goal would run again in a fork of it.
 * @throws ASTRA_NOT_FOUND, ASTRA_PLAN_INVALID
 */
export async function previewFork(
  deps: PreviewDeps,
  goal: GoalRef,
  fork: GoalFork,
): Promise<RerunPreview & { readonly source: GoalStanding }> {
  const { standing, plan } = await readPlanned(deps, goal);
  const { source } = plan.outline;
  const validated = validatePlan(forkPlan(plan.plan, fork), await deps.catalogue(), { source });
  const kept = new Set(diffPlans(plan.plan, validated.plan).kept);
  const statusOf = (id: string) => (kept.has(id) ? reusableStatus(standing.tasks.get(id)) : undefined);
  const chosen = chosenTasks({ tasks: fork.tasks ?? 'failed', inputs: fork.inputs });
  const rerun = tasksToRerun(validated.outline.tasks, statusOf, chosen);
  const willRun = new Set(rerun.willRun);
  const { outline } = validated;
  return { ...rerun, estimate: await estimate(deps, goal, { standing, outline, willRun }), source: standing };
}

const isDone = ({ tasks }: GoalStanding, id: string): boolean => {
  const status = tasks.get(id)?.status;
  return status === 'completed' || status === 'skipped';
};

async function readPlanned(
  { reader }: PreviewDeps,
  { tenant, goalId }: GoalRef,
): Promise<{ readonly standing: GoalStanding; readonly plan: RecordedPlan }> {
  const [standing, plan] = await Promise.all([reader.standing(tenant, goalId), reader.plan(tenant, goalId)]);
  if (!standing) throw new AstraError('ASTRA_NOT_FOUND', `There is no goal ${goalId}.`);
  if (!plan) throw new AstraError('ASTRA_NOT_FOUND', `The goal ${goalId} has no plan yet.`);
  return { standing, plan };
}

async function estimate(
  { reader, durations }: PreviewDeps,
  { tenant, goalId }: GoalRef,
  { standing, outline, willRun }: { standing: GoalStanding; outline: PlanOutline; willRun: ReadonlySet<string> },
): Promise<Estimate> {
  const [usd, known] = await Promise.all([reader.taskCosts(tenant, goalId), durations.read(tenant)]);
  const costOf = (id: string): TaskCost | undefined => {
    const { startedAt, finishedAt } = standing.tasks.get(id) ?? {};
    if (!startedAt || !finishedAt) return undefined;
    return { usd: usd.get(id) ?? 0, seconds: Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000 };
  };
  return estimateRun(outline.tasks, willRun, { costOf, known });
}
