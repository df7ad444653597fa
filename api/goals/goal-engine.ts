import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalSubmission } from '../../domain/schemas/goal.ts';
import {
  goalPriority,
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  messages,
  taskQueues,
  workflowTaskTimeout,
  type CancelGoalArgs,
  type DeliverEventArgs,
  type GoalViewQueryResult,
} from '../../workflows/contract.ts';
import { readWorkflowInput, type NewGoal } from './read-workflow-input.ts';
import { callTemporal } from './temporal-call.ts';

/** Goals as Temporal runs them. Every call throws ASTRA_UNAVAILABLE when Temporal does not answer in time. */
export interface GoalEngine {
  /** Durable when it resolves. `false`: a goal of this id was started before, and nothing was done. */
  start(goal: NewGoal): Promise<boolean>;
  /** What the goal was started with; null when Temporal has no such goal of the tenant. */
  find(tenant: string, goalId: GoalId): Promise<NewGoal | null>;
  /** What the workflow says of itself; null when no worker answers in time. */
  query(goalId: GoalId): Promise<GoalViewQueryResult | null>;
  /** False when the goal does not run any more. */
  cancel(goalId: GoalId, args: CancelGoalArgs): Promise<boolean>;
  /** False when the goal does not run any more. */
  deliverEvent(goalId: GoalId, args: DeliverEventArgs): Promise<boolean>;
  /** Tells goals that wait for a limit to ask again. Never throws: they would ask again by themselves. */
  slotsFreed(goalIds: readonly GoalId[]): Promise<void>;
}

/** The server takes 400 bytes, and a character may take four. */
const maxSummaryChars = 100;
/** Without a worker a query is never answered. */
const queryTimeoutMs = 1_000;

const summarize = ({ objective, template }: GoalSubmission): string =>
  (objective ?? template?.name ?? 'plan').replaceAll(/\s+/g, ' ').slice(0, maxSummaryChars);

export function createGoalEngine(client: Client, options: { readonly onRead?: () => void } = {}): GoalEngine {
  const handleOf = (goalId: GoalId) => client.workflow.getHandle(goalWorkflowId(goalId));

  async function signal(goalId: GoalId, name: string, args: object): Promise<boolean> {
    try {
      await callTemporal(client, () => handleOf(goalId).signal(name, args));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }

  return {
    async start(input) {
      try {
        await callTemporal(client, () =>
          client.workflow.start(goalWorkflowType, {
            workflowId: goalWorkflowId(input.goalId),
            taskQueue: taskQueues.main,
            workflowTaskTimeout,
            workflowIdReusePolicy: 'REJECT_DUPLICATE',
            workflowIdConflictPolicy: 'FAIL',
            typedSearchAttributes: goalSearchAttributes(input.tenant, input.submission),
            priority: goalPriority(input.tenant, input.submission),
            staticSummary: summarize(input.submission),
            args: [input],
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
        throw error;
      }
    },

    find(tenant, goalId) {
      options.onRead?.();
      return readWorkflowInput(client, tenant, goalId);
    },

    async query(goalId) {
      try {
        return await callTemporal(client, () => handleOf(goalId).query<GoalViewQueryResult>(messages.goalView), {
          timeoutMs: queryTimeoutMs,
        });
      } catch {
        // It is the last resort of a read that has something to show without it.
        return null;
      }
    },

    async cancel(goalId, args) {
      // The signal has the reason and is what counts; the request makes Temporal call the execution cancelled, too.
      const running = await signal(goalId, messages.cancelGoal, args);
      if (running) await callTemporal(client, () => handleOf(goalId).cancel()).catch(() => undefined);
      return running;
    },
    deliverEvent: (goalId, args) => signal(goalId, messages.deliverEvent, args),
    async slotsFreed(goalIds) {
      await Promise.allSettled(goalIds.map((goalId) => signal(goalId, messages.slotsFreed, {})));
    },
  };
}
