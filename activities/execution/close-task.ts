import { AstraError, isErrorCode, toErrorInfo } from '../../domain/errors.ts';
import type { ErrorInfo, GoalId } from '../../domain/schemas/common.ts';
import { approvalId, itemTaskId } from '../../domain/ids.ts';
import { requiredSuccesses } from '../../domain/min-success.ts';
import { runOf } from '../../domain/plan-outline.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { KernelActivities, TaskEnding, TaskRef } from '../contract.ts';
import type { BudgetLedger } from '../../stores/postgres/budgets.ts';
import type { GoalBudgets } from '../budgets/goal-budgets.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { mapFailed, mapOutput } from './map-end.ts';
import { recordEnd } from './record-end.ts';
import type { TaskScopes } from './task-scope.ts';
import type { Values } from './values.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly values: Values;
  readonly scopes: Pick<TaskScopes, 'find'>;
  readonly budgets: GoalBudgets;
  readonly ledger: Pick<BudgetLedger, 'reservedBy'>;
}

/** Ends a task that the workflow carried out or gave up: gathers its output and records it. */
export function createCloseTask(deps: Deps): KernelActivities['closeTask'] {
  const { recorder } = deps;
  return async ({ task, ending }) => {
    const recorded = await recorder.outcome(task.goal, task.taskId);
    if (recorded) return recorded;
    const about = { taskId: task.taskId };
    if (ending.kind === 'cancelled') {
      const cancelled = draft('task.cancelled', { reason: ending.reason }, about);
      return recordEnd(recorder, task, ...(await settleLost(deps, task)), cancelled);
    }
    if (ending.kind === 'failed') {
      const failed = draft('task.failed', { error: asRecorded(ending.error) }, about);
      return recordEnd(recorder, task, ...(await settleLost(deps, task)), failed);
    }
    try {
      const output = await outputOf(deps, task, ending);
      const startedAt = (await recorder.task(task.goal, task.taskId))?.startedAt ?? new Date().toISOString();
      return await recordEnd(recorder, task, draft('task.completed', { ...output, startedAt }, about));
    } catch (error) {
      if (!(error instanceof AstraError) || error.code === 'ASTRA_UNAVAILABLE') throw error;
      return recordEnd(recorder, task, draft('task.failed', { error: toErrorInfo(error) }, about));
    }
  };
}

/** Nobody knows what the attempt has cost that was lost last: what it had reserved counts. */
async function settleLost({ budgets, ledger }: Deps, task: TaskRef): Promise<readonly EventDraft[]> {
  if (!(await budgets.scopesOf(task.goal))) return [];
  const attempt = await ledger.reservedBy(task);
  return attempt === null ? [] : [draft('budget.settled', { actual: null }, { taskId: task.taskId, attempt })];
}

async function outputOf(
  deps: Deps,
  task: TaskRef,
  ending: Exclude<TaskEnding, { kind: 'cancelled' | 'failed' }>,
): Promise<Output> {
  switch (ending.kind) {
    case 'map':
      return gatherMap(deps, task, ending);
    case 'childGoal':
      return childOutput(deps, { tenant: task.goal.tenant, goalId: ending.goalId });
    case 'approved': {
      const { outline } = await deps.scopes.find(task.goal, task.taskId);
      const id = approvalId(task.goal.goalId, task.taskId, runOf(outline));
      const asked = (await deps.recorder.approval(task.goal, id))?.input ?? null;
      return deps.values.toOutput(task.goal.tenant, ending.editedInput ?? asked);
    }
    case 'output':
      return deps.values.toOutput(task.goal.tenant, ending.output);
  }
}

async function gatherMap(
  { recorder, values }: Deps,
  { goal, taskId }: TaskRef,
  { items, minSuccess }: Extract<TaskEnding, { kind: 'map' }>,
): Promise<Output> {
  const completed = (await recorder.task(goal, taskId))?.map?.completed ?? 0;
  if (completed < requiredSuccesses(minSuccess, items)) {
    const ids = Array.from({ length: items }, (_, index) => itemTaskId(taskId, index));
    const outcomes = Object.values(await recorder.outcomes(goal, ids));
    throw mapFailed({ completed, items }, outcomes.find((outcome) => outcome.status === 'failed')?.error);
  }
  return mapOutput(values, goal.tenant, await recorder.itemOutputs(goal, taskId, items));
}

async function childOutput({ recorder }: Deps, child: { tenant: string; goalId: GoalId }): Promise<Output> {
  const state = await recorder.state(child);
  if (state.status === 'completed') {
    return state.outputArtifact ? { artifact: state.outputArtifact } : { output: state.output };
  }
  const reason = state.error ? ` ${state.error.code}: ${state.error.message}` : '';
  throw new AstraError('ASTRA_SUBGOAL_FAILED', `Sub-goal ${child.goalId} ended ${state.status}.${reason}`);
}

/** A failure that the workflow saw: its code is what an activity gave it, so it may be none of ours. */
const asRecorded = (error: ErrorInfo): ErrorInfo =>
  isErrorCode(error.code) ? error : { ...error, code: 'ASTRA_INTERNAL' };
