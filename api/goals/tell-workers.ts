import type { Redis } from 'ioredis';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { publishCancel, type CancelNotice } from '../../stores/cache/cancel-channel.ts';
import { goalWorkflowId } from '../../workflows/contract.ts';

/** Tells the workers of a cancel that is durable. Never fails: what they do not hear here their heartbeats tell them. */
export type TellWorkers = (goal: GoalRef, asked: Pick<CancelNotice, 'reason' | 'compensate'>) => Promise<void>;

export function createTellWorkers(deps: {
  readonly redis: Redis;
  readonly findRunning: (goal: GoalRef) => Promise<readonly GoalId[]>;
}): TellWorkers {
  return async (goal, asked) => {
    const goalIds = await deps.findRunning(goal).catch(() => [goal.goalId]);
    await publishCancel(deps.redis, { ...goal, goalIds, workflowId: goalWorkflowId(goal.goalId), ...asked });
  };
}
