import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { approvalId, itemTaskId } from '../../domain/ids.ts';
import { requiredSuccesses } from '../../domain/min-success.ts';
import { runOf } from '../../domain/plan-outline.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { KernelActivities, TaskEnding, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { mapFailed, mapOutput } from './map-end.ts';
import { recordEnd } from './record-end.ts';
import { asRecorded, settleLost, type LostCallDeps } from './settle-lost.ts';
import type { TaskScopes } from './task-scope.ts';
import type { Values } from './values.ts';

interface Deps extends LostCallDeps {
  readonly values: Values;
  readonly scopes: Pick<TaskScopes, 'find'>;
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
    if (ending.kind === 'discarded') return recordEnd(recorder, task, await discarded(recorder, task));
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

/** The failure that the task was parked for. */
async function discarded(recorder: Recorder, { goal, taskId }: TaskRef): Promise<EventDraft> {
  const task = await recorder.task(goal, taskId);
  const error = task?.error ?? toErrorInfo(new AstraError('ASTRA_INTERNAL', 'The task was discarded.'));
  return draft('task.failed', { error }, { taskId, ...(task && { attempt: task.attempt }) });
}

async function outputOf(
  deps: Deps,
  task: TaskRef,
  ending: Exclude<TaskEnding, { kind: 'cancelled' | 'failed' | 'discarded' }>,
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
