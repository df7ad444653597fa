import { CancellationScope, getExternalWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import type { GoalRef } from '../domain/goal-ref.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import { goalWorkflowId, type CarriedPolicy } from './contract.ts';
import { createGoalPolicy } from './goal-policy.ts';
import { isRepeated } from './goal-run.ts';
import { createMapRoom } from './map-room.ts';
import { createShardParking } from './parking.ts';
import { createPause, pauseGoalSignal } from './pause.ts';
import { range } from './run-map.ts';
import { runWindow } from './run-window.ts';

export interface MapShardInput {
  readonly goal: GoalRef;
  /** With the map as its only task. */
  readonly outline: PlanOutline;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly maxFailed: number;
  readonly repeated: boolean;
  /** The goal's own, with what it has counted so far. */
  readonly policy?: CarriedPolicy;
}

/** A part of a wide map, with a history of its own. Answers how many items failed. */
export async function mapShardWorkflow(input: MapShardInput): Promise<number> {
  const { goal, outline, from, to, maxFailed } = input;
  const policy = input.policy ? createGoalPolicy(input.policy, (reason) => pauseWhole(goal, reason)) : null;
  const root = CancellationScope.current();
  const pause = createPause({
    carried: undefined,
    // The goal's own workflow records its pauses, and tells of them afterwards.
    isSubmitted: () => true,
    record: () => Promise.resolve(),
    isCancelled: () => root.consideredCancelled,
    onChange: () => undefined,
    onResumed: () => policy?.restart(),
  });
  const [task] = outline.tasks;
  if (!task) return 0;
  const parking = createShardParking(workflowInfo().workflowId, goalWorkflowId(goal.goalId));
  const map = { goal, outline, task, repeated: isRepeated(input), mapRoom: createMapRoom(), parking, pause, policy };
  return runWindow(map, range(from, to), maxFailed);
}

/** The goal then pauses its shards. One that has ended meanwhile needs no pause. */
function pauseWhole({ goalId }: GoalRef, reason: string): void {
  getExternalWorkflowHandle(goalWorkflowId(goalId))
    .signal(pauseGoalSignal, { by: 'policy', running: 'finish', shiftDeadlines: false, reason })
    .catch(() => undefined);
}
