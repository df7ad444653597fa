import { ApplicationFailure, isCancellation } from '@temporalio/workflow';
import type { ExecutedTask, OpenedTask, TaskEnding, TaskOutcome } from '../activities/contract.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import { kernel } from './activities.ts';
import { closeTask, endingOf } from './close-task.ts';
import type { GoalRun } from './goal-run.ts';
import { runApproval } from './run-approval.ts';
import { openApproved, runCall, type TaskCallOptions } from './run-call.ts';
import { runMap } from './run-map.ts';
import { runSubGoal } from './run-sub-goal.ts';
import { runWait } from './run-wait.ts';

/**
 * Carries one task out and answers with its recorded outcome, also when it was cancelled or lost.
 * @param options.last every other task has settled
 * @returns null for what waits and is given up because the goal begins a new history, to be opened again there
 */
export async function runTask(
  run: GoalRun,
  task: TaskOutline,
  { last, stage, made }: TaskCallOptions,
): Promise<ExecutedTask | null> {
  const ref = { goal: run.goal, taskId: task.id };
  try {
    if (task.kind === 'tool') return await runCall(run, task, { last, stage, made });
    const opened = task.kind === 'map' ? await openApproved(run, task, stage) : await kernel.openTask(ref);
    if ('settled' in opened) return opened.settled;
    return await closeTask(ref, await carryOut(run, task, opened));
  } catch (error) {
    // Nothing else is under way then.
    if (run.control.continuing && isCancellation(error)) return null;
    return closeTask(ref, endingOf(error, task, run.outline));
  }
}

/** Can it be given up and opened again? */
export const waits = ({ kind }: TaskOutline): boolean => kind === 'wait' || kind === 'approval';

type OpenTask = Exclude<OpenedTask, { settled: TaskOutcome }>;

function carryOut(run: GoalRun, task: TaskOutline, opened: OpenTask): Promise<TaskEnding> {
  if ('map' in opened) return runMap(run, task, opened.map.items);
  if ('childGoal' in opened) return runSubGoal(run, task, opened.childGoal);
  if ('approval' in opened) return runApproval(run, task, opened.approval);
  if ('wait' in opened) return runWait(run, opened.wait);
  throw ApplicationFailure.nonRetryable('A tool call is not carried out here.', 'ASTRA_INTERNAL');
}
