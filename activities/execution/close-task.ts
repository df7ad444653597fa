import { AstraError, isErrorCode, toErrorInfo } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { Json } from '../../domain/json.ts';
import { approvalId, itemTaskId } from '../../domain/ids.ts';
import { limits } from '../../domain/limits.ts';
import { requiredSuccesses } from '../../domain/min-success.ts';
import type { Output } from '../../domain/schemas/event.ts';
import type { KernelActivities, TaskEnding, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';
import { recordEnd } from './record-end.ts';
import type { Values } from './values.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly values: Values;
}

/** Ends a task that the workflow carried out or gave up: gathers its output and records it. */
export function createCloseTask(deps: Deps): KernelActivities['closeTask'] {
  const { recorder } = deps;
  return async ({ task, ending }) => {
    const recorded = await recorder.outcome(task.goal, task.taskId);
    if (recorded) return recorded;
    const about = { taskId: task.taskId };
    if (ending.kind === 'cancelled') {
      return recordEnd(recorder, task, draft('task.cancelled', { reason: ending.reason }, about));
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

async function outputOf(
  deps: Deps,
  task: TaskRef,
  ending: Exclude<TaskEnding, { kind: 'cancelled' }>,
): Promise<Output> {
  switch (ending.kind) {
    case 'map':
      return mapOutput(deps, task, ending);
    case 'childGoal':
      return childOutput(deps, { tenant: task.goal.tenant, goalId: ending.goalId });
    case 'approved': {
      const id = approvalId(task.goal.goalId, task.taskId);
      const asked = (await deps.recorder.approval(task.goal, id))?.input ?? null;
      return deps.values.toOutput(task.goal.tenant, ending.editedInput ?? asked);
    }
    case 'output':
      return deps.values.toOutput(task.goal.tenant, ending.output);
    case 'failed':
      throw asThrown(ending.error);
  }
}

/** The list of the items' outputs in order, null for those that failed or never ran. */
async function mapOutput(
  { recorder, values }: Deps,
  { goal, taskId }: TaskRef,
  { items, minSuccess }: Extract<TaskEnding, { kind: 'map' }>,
): Promise<Output> {
  const completed = (await recorder.task(goal, taskId))?.map?.completed ?? 0;
  if (completed < requiredSuccesses(minSuccess, items)) {
    const ids = Array.from({ length: items }, (_, index) => itemTaskId(taskId, index));
    const outcomes = Object.values(await recorder.outcomes(goal, ids));
    const first = outcomes.find((outcome) => outcome.status === 'failed');
    const reason = first ? ` The first failure was ${first.error.code}: ${first.error.message}` : '';
    throw new AstraError('ASTRA_MAP_FAILED', `${completed} of ${items} items completed.${reason}`);
  }
  const outputs = await recorder.itemOutputs(goal, taskId, items);
  const sizeBytes = outputs.reduce((sum, output) => sum + storedBytes(output), 0);
  // Together too large to be resolved where the list is used: then it names them instead of holding them all.
  const asReferences = sizeBytes > limits.resolvedOutputBytes;
  const list: Json[] = [];
  for (let from = 0; from < outputs.length; from += readsAtOnce) {
    const some = outputs.slice(from, from + readsAtOnce);
    list.push(...(await Promise.all(some.map((output) => valueOf(values, goal.tenant, { output, asReferences })))));
  }
  return values.toOutput(goal.tenant, list);
}

const readsAtOnce = 32;
const storedBytes = (output: Output | null): number => (output && 'artifact' in output ? output.artifact.sizeBytes : 0);

const valueOf = async (
  values: Values,
  tenant: string,
  { output, asReferences }: { readonly output: Output | null; readonly asReferences: boolean },
): Promise<Json> =>
  asReferences && output && 'artifact' in output ? { ...output.artifact } : values.toValue(tenant, output);

async function childOutput({ recorder }: Deps, child: { tenant: string; goalId: GoalId }): Promise<Output> {
  const state = await recorder.state(child);
  if (state.status === 'completed') {
    return state.outputArtifact ? { artifact: state.outputArtifact } : { output: state.output };
  }
  const reason = state.error ? ` ${state.error.code}: ${state.error.message}` : '';
  throw new AstraError('ASTRA_SUBGOAL_FAILED', `Sub-goal ${child.goalId} ended ${state.status}.${reason}`);
}

/** A failure that the workflow saw, on its way into the record. */
function asThrown({ code, message }: { readonly code: string; readonly message: string }): AstraError {
  return new AstraError(isErrorCode(code) ? code : 'ASTRA_INTERNAL', message);
}
