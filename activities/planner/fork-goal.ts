import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import type { GoalStanding } from '../../stores/goal-standing.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { diffPlans, forkPlan } from '../../domain/plan-change.ts';
import type { PlanOutline, TaskOutline } from '../../domain/plan-outline.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import { chosenTasks, innerChoice, reusableStatus, tasksToRerun } from '../../domain/rerun.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { SettledStatus } from '../../domain/task-graph-nodes.ts';
import type { ForkGoalArgs, KernelActivities, RetryGoalResult } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import { markQuickTools } from '../execution/tool-pace.ts';
import type { Recorder } from '../projection/recorder.ts';
import { guardPlan } from './guard-plan.ts';
import type { PlannerDeps } from './plan-as-given.ts';
import { planningDrafts, recordSubmission, requireDepth } from './record-planning.ts';

type Deps = Pick<PlannerDeps, 'catalogue' | 'pace' | 'policies'> & { readonly recorder: Recorder };

/** Begins a goal with what another one has finished, in one commit. Repeated, it answers with what it recorded. */
export function createForkGoal(deps: Deps): KernelActivities['forkGoal'] {
  const { recorder } = deps;
  return async (args) => {
    const known = await recorder.standing(args.goal);
    if (known?.outline) return { outline: known.outline, settled: settledIn(known) };
    try {
      requireDepth(args);
      return await fork(deps, args);
    } catch (error) {
      if (!(error instanceof AstraError) || error.retryable) throw error;
      await recordSubmission(recorder, args);
      return { error: toErrorInfo(error) };
    }
  };
}

async function fork({ recorder, catalogue, pace, policies }: Deps, args: ForkGoalArgs): Promise<RetryGoalResult> {
  const { goal, fork: request, submission, bodyHash, submittedBy } = args;
  const source = { tenant: goal.tenant, goalId: request.from.goalId };
  const standing = await recorder.standing(source);
  if (!standing?.outline)
    throw new AstraError('ASTRA_NOT_FOUND', `The goal ${source.goalId} has no plan to begin from.`);
  const recorded = await recorder.plan({ ...source, revision: standing.outline.revision });
  const { source: planSource } = recorded.outline;
  const validated = validatePlan(forkPlan(recorded.plan, request), await catalogue(), { source: planSource });
  const kept = new Set(diffPlans(recorded.plan, validated.plan).kept);
  const statusOf = (id: string) => (kept.has(id) ? reusableStatus(standing.tasks.get(id)) : undefined);
  const retry = { tasks: request.tasks ?? 'failed', inputs: request.inputs };
  const { willRun, reused } = tasksToRerun(validated.outline.tasks, statusOf, chosenTasks(retry));
  const again = new Set(willRun);
  const forked = (task: TaskOutline): TaskOutline => {
    const childGoalId = standing.tasks.get(task.id)?.childGoalId;
    const tasks = again.has(task.id) && kept.has(task.id) ? innerChoice(task, retry) : null;
    return tasks && childGoalId ? { ...task, forks: { goalId: childGoalId, tasks } } : task;
  };
  const { agentId } = submission;
  const marked = await guardPlan(policies, goal, { outline: markQuickTools(validated.outline, pace), agentId });
  const outline: PlanOutline = { ...marked, tasks: marked.tasks.map(forked) };
  const planned = { ...validated, outline, params: recorded.params };
  const ends = await endsOf(recorder, { source, standing }, reused);
  await recorder.record(goal, [...planningDrafts({ ...args, forkedFrom: request.from }, planned), ...ends], {
    plan: { plan: validated.plan, outline, params: recorded.params },
    submission: { documents: submission.documents ?? [], bodyHash, submittedBy },
  });
  const settled = reused.map((id): [string, SettledStatus] => [
    id,
    standing.tasks.get(id)?.status === 'skipped' ? 'skipped' : 'completed',
  ]);
  return { outline, settled: Object.fromEntries(settled) };
}

/** The ends of the source's tasks as this goal's own, and the artifacts that they wrote. */
async function endsOf(
  recorder: Recorder,
  { source, standing }: { readonly source: GoalRef; readonly standing: GoalStanding },
  reused: readonly string[],
): Promise<EventDraft[]> {
  const goal = { ...source, ...(standing.outline && { revision: standing.outline.revision }) };
  const [outputs, artifacts] = await Promise.all([recorder.outputs(goal, reused), recorder.artifacts(goal)]);
  return reused.flatMap((taskId): EventDraft[] => {
    const task = standing.tasks.get(taskId);
    // None was made here: what was done is the source's, and so is taking it back.
    const about = { taskId, attempt: 0 };
    if (task?.status === 'skipped') return [draft('task.skipped', { reason: 'condition' }, about)];
    const output = outputs[taskId] ?? { output: null };
    const startedAt = task?.startedAt ?? new Date().toISOString();
    const { childGoalId } = task ?? {};
    const written = artifacts.filter((artifact) => artifact.taskId?.split('.', 1)[0] === taskId);
    return [
      ...(childGoalId ? [draft('task.started', { childGoalId }, about)] : []),
      ...written.map(({ artifact }) => draft('artifact.created', { artifact }, about)),
      draft('task.completed', { ...output, startedAt, usage: { usd: '0', tokens: 0, seconds: 0 } }, about),
    ];
  });
}

const settledIn = ({ tasks }: GoalStanding): Record<string, SettledStatus> =>
  Object.fromEntries(
    [...tasks].flatMap(([id, { status }]) => (status === 'completed' || status === 'skipped' ? [[id, status]] : [])),
  );
