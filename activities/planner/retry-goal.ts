import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { changeMark } from '../../domain/goal-news.ts';
import { isFinalTask } from '../../domain/goal-record.ts';
import { editInputs, reviseOutline } from '../../domain/plan-change.ts';
import { runOf, type PlanOutline, type TaskOutline } from '../../domain/plan-outline.ts';
import { validatePlan } from '../../domain/plan-validation/validate-plan.ts';
import { replanTermsOf } from '../../domain/replans.ts';
import { chosenTasks, innerChoice, reusableStatus, tasksToRerun } from '../../domain/rerun.ts';
import type { SettledStatus } from '../../domain/task-graph-nodes.ts';
import type { KernelActivities, RetryGoalResult, RetryRequest } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import { markQuickTools } from '../execution/tool-pace.ts';
import type { GoalStanding } from '../../stores/goal-standing.ts';
import type { Recorder } from '../projection/recorder.ts';
import { guardPlan } from './guard-plan.ts';
import type { PlannerDeps } from './plan-as-given.ts';

type Deps = Pick<PlannerDeps, 'catalogue' | 'pace' | 'policies'> & { readonly recorder: Recorder };

/** Reopens an ended goal. A repetition is known by the change's id, as that of a changed plan is. */
export function createRetryGoal({ recorder, catalogue, pace, policies }: Deps): KernelActivities['retryGoal'] {
  async function reopen({ goal, retry, by, changeId }: Parameters<KernelActivities['retryGoal']>[0]) {
    const standing = await recorder.standing(goal);
    if (!standing?.outline) throw new AstraError('ASTRA_NOT_FOUND', 'The goal has no plan that could be tried again.');
    if (standing.marks.has(changeMark(changeId))) return reopened(standing.outline, standing);
    const current = { ...goal, revision: standing.outline.revision };
    const { plan, params, outline: old } = await recorder.plan(current);
    const edited = editInputs(plan, retry.inputs ?? {});
    const revision = old.revision + 1;
    const validated = validatePlan(edited, await catalogue(), { revision, source: old.source });
    const { willRun } = tasksToRerun(old.tasks, (id) => reusableStatus(standing.tasks.get(id)), chosenTasks(retry));
    const anew = new Set(willRun);
    const { agentId } = await recorder.head(current);
    const guarded = await guardPlan(policies, goal, { outline: markQuickTools(validated.outline, pace), agentId });
    const revised = reviseOutline(guarded, old, anew);
    const outline = { ...revised, tasks: revised.tasks.map((task) => withRetries(task, { old, anew, retry })) };
    await recorder.record(
      current,
      [draft('goal.retried', { run: retry.run, outline, restarted: willRun, by, changeId })],
      { plan: { plan: validated.plan, outline, params } },
    );
    const after = await recorder.standing(goal);
    if (after?.outline && after.marks.has(changeMark(changeId))) return reopened(after.outline, after);
    throw new AstraError('ASTRA_GOAL_RUNNING', 'The goal runs again already. Read it, and wait until it has ended.');
  }

  return async (args): Promise<RetryGoalResult> => {
    try {
      return await reopen(args);
    } catch (error) {
      if (!(error instanceof AstraError) || error.retryable) throw error;
      return { error: toErrorInfo(error) };
    }
  };
}

function reopened(outline: PlanOutline, { tasks, head }: GoalStanding): RetryGoalResult {
  const settled = [...tasks].flatMap(([id, { status }]): [string, SettledStatus][] =>
    isFinalTask(status) ? [[id, status]] : [],
  );
  const replans = replanTermsOf(head);
  return { outline, settled: Object.fromEntries(settled), ...(replans && { replans }) };
}

/** A sub-goal is gone on with, unless it is chosen whole. */
function withRetries(
  task: TaskOutline,
  { old, anew, retry }: { readonly old: PlanOutline; readonly anew: ReadonlySet<string>; readonly retry: RetryRequest },
): TaskOutline {
  const before = old.tasks.find(({ id }) => id === task.id);
  const tasks = anew.has(task.id) ? innerChoice(task, retry) : null;
  return tasks && before ? { ...task, retries: { run: before.retries?.run ?? runOf(before), tasks } } : task;
}
