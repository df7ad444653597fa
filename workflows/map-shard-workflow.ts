import type { GoalRef } from '../domain/goal-ref.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import { workflowInfo } from '@temporalio/workflow';
import { goalWorkflowId } from './contract.ts';
import { isRepeated } from './goal-run.ts';
import { createMapRoom } from './map-room.ts';
import { createShardParking } from './parking.ts';
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
}

/** A part of a wide map, with a history of its own. Answers how many items failed. */
export async function mapShardWorkflow(input: MapShardInput): Promise<number> {
  const { goal, outline, from, to, maxFailed } = input;
  const [task] = outline.tasks;
  const repeated = isRepeated(input);
  const parking = createShardParking(workflowInfo().workflowId, goalWorkflowId(goal.goalId));
  if (!task) return 0;
  return runWindow({ goal, outline, task, repeated, mapRoom: createMapRoom(), parking }, range(from, to), maxFailed);
}
