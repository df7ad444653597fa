import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { GoalSignals } from '../activities/limits/goal-signals.ts';
import { goalWorkflowId, messages, type CancelGoalArgs } from '../workflows/contract.ts';

/** @param client asked for at each call: an activity has its worker's */
export function createGoalSignals(client: () => Client): GoalSignals {
  const handleOf = (goalId: Parameters<typeof goalWorkflowId>[0]) =>
    client().workflow.getHandle(goalWorkflowId(goalId));
  return {
    async isRunning(goalId) {
      try {
        return (await handleOf(goalId).describe()).status.name === 'RUNNING';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return false;
        throw error;
      }
    },
    async slotsFreed(goalIds) {
      await Promise.allSettled(goalIds.map((goalId) => handleOf(goalId).signal(messages.slotsFreed)));
    },
    async cancel(goalId, reason) {
      const args: CancelGoalArgs = { reason };
      await handleOf(goalId)
        .signal(messages.cancelGoal, args)
        .catch(() => undefined);
    },
  };
}
