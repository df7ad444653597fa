import { ApplicationFailure, CancellationScope, condition } from '@temporalio/workflow';
import type { AmendPlanArgs } from '../activities/contract.ts';
import { createGoalGraph } from '../domain/goal-graph.ts';
import { runOf, type PlanOutline } from '../domain/plan-outline.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import { kernel } from './activities.ts';
import type { AmendPlanAnswer } from './contract.ts';
import type { Flight } from './flight.ts';
import { atRevision, type GoalRun } from './goal-run.ts';

type Amendment = Omit<AmendPlanArgs, 'goal'>;

/**
 * Changes the plan of a goal while it runs.
 *
 * 1. Nothing starts meanwhile, and what tasks share ends first, which is soon: so it is known what has finished.
 * 2. The new revision is recorded before anything is done about it. Whatever a task says that begins anew, or is gone,
 *    is no news from then on (domain/goal-news.ts).
 * 3. Such tasks are ended; the others run on. The new graph takes over what has settled and what is under way.
 *
 * @throws the refusal, as a failure of its code
 */
export async function amendPlan(run: GoalRun, flight: Flight, message: Amendment): Promise<AmendPlanAnswer> {
  await condition(() => !run.amending);
  if (run.control.ended) throw ApplicationFailure.nonRetryable('The goal is ending.', 'ASTRA_GOAL_FINISHED');
  run.amending = true;
  try {
    await condition(() => !flight.has('shared'));
    const amended = await CancellationScope.nonCancellable(() => kernel.amendPlan({ goal: run.goal, ...message }));
    if ('error' in amended) throw ApplicationFailure.nonRetryable(amended.error.message, amended.error.code);
    // What is recorded is done, also for a history that is about to end.
    await CancellationScope.nonCancellable(() => takeOver(run, flight, amended.outline));
    return { revision: amended.outline.revision };
  } finally {
    run.amending = false;
    flight.wake();
  }
}

/** As `amendPlan`. @returns why the change was refused; null: it was made */
export async function tryAmend(run: GoalRun, flight: Flight, amendment: Amendment): Promise<ErrorInfo | null> {
  try {
    await amendPlan(run, flight, amendment);
    return null;
  } catch (error) {
    if (!(error instanceof ApplicationFailure)) throw error;
    return { code: error.type ?? 'ASTRA_INTERNAL', message: error.message, retryable: false };
  }
}

async function takeOver(run: GoalRun, flight: Flight, outline: PlanOutline): Promise<void> {
  const runs = new Map(outline.tasks.map((task) => [task.id, runOf(task)]));
  run.superseded = new Set(run.outline.tasks.filter((task) => runs.get(task.id) !== runOf(task)).map(({ id }) => id));
  await flight.end(run.superseded);
  run.parking.reopen(run.superseded);
  const settled = Object.entries(run.graph.settledStatuses()).filter(([id]) => !run.superseded.has(id));
  // What has failed the goal is replaced: it goes on.
  for (const id of run.superseded) run.failures.delete(id);
  run.outline = outline;
  run.goal = atRevision(run.goal, outline);
  run.graph = createGoalGraph(outline, Object.fromEntries(settled), flight.taskIds);
  run.superseded = new Set();
}
