import type { ExecutedTask, OpenedTask, Undone } from '../activities/contract.ts';
import { isGuarded, type TaskOutline } from '../domain/plan-outline.ts';
import { kernel } from './activities.ts';
import { callTool } from './call-tool.ts';
import { closeTask } from './close-task.ts';
import type { Stage } from './flight.ts';
import type { GoalRun } from './goal-run.ts';
import { awaitDecision } from './run-approval.ts';

export interface TaskCallOptions {
  /** Every other task has settled. */
  readonly last: boolean;
  readonly stage: Stage;
  /** What came of an attempt that shared its activity with others. */
  readonly made: Undone | undefined;
}

/** Calls a task's tool: at once, or when policy, and people where that says so, have agreed. */
export async function runCall(run: GoalRun, task: TaskOutline, options: TaskCallOptions): Promise<ExecutedTask> {
  const { goal } = run;
  const { last, stage, made } = options;
  for (let asks = isGuarded(task); ; asks = true) {
    if (asks) {
      const opened = await openApproved(run, task, stage);
      if ('settled' in opened) return opened.settled;
    }
    // While people thought about it tasks may have been added.
    const isLast = last && run.goal === goal;
    const answer = await callTool(
      run,
      { task, taskId: task.id },
      asks ? { stage, last: isLast, cleared: true } : { stage, last: isLast, made },
    );
    if (answer.status !== 'unapproved') return answer;
  }
}

/**
 * Opens a task, and again when people have approved what it asked to do. While they think about it the task can be given
 * up, to be opened again in a new history.
 */
export async function openApproved(
  run: GoalRun,
  task: TaskOutline,
  stage: Stage,
): Promise<Exclude<OpenedTask, { approval: unknown }>> {
  const ref = { goal: run.goal, taskId: task.id };
  const what = `The call of ${task.tool ?? 'a tool'} by "${task.title ?? task.id}"`;
  for (;;) {
    const opened = await kernel.openTask(ref);
    if (!('approval' in opened)) return opened;
    stage.pause();
    const decided = await awaitDecision(run, opened.approval, { taskId: task.id, what });
    if (!decided.approved) return { settled: await closeTask(ref, { kind: 'failed', error: decided.error }) };
    await stage.resume();
  }
}
