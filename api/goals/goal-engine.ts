import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { AstraError } from '../../domain/errors.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalHead, GoalSubmission } from '../../domain/schemas/goal.ts';
import {
  goalPriority,
  goalSearchAttributes,
  goalWorkflowId,
  goalWorkflowType,
  messages,
  taskQueues,
  workflowTaskTimeout,
  type AmendPlanAnswer,
  type AmendPlanMessage,
  type CancelGoalArgs,
  type DeliverEventArgs,
  type GoalViewQueryResult,
  type GoalWorkflowInput,
  type ProposeChangeAnswer,
  type ProposedChange,
  type RetryGoalMessage,
  type UnparkTasksArgs,
  type PauseGoalArgs,
  type ResumeGoalArgs,
} from '../../workflows/contract.ts';
import { readWorkflowInput, type NewGoal } from './read-workflow-input.ts';
import { callTemporal } from './temporal-call.ts';
import { toRefusal } from './update-refusal.ts';

/** Goals as Temporal runs them. Every call throws ASTRA_UNAVAILABLE when Temporal does not answer in time. */
export interface GoalEngine {
  /** Durable when it resolves. `false`: a goal of this id was started before, and nothing was done. */
  start(goal: NewGoal): Promise<boolean>;
  /** What the goal was started with; null when Temporal has no such goal of the tenant. */
  find(tenant: string, goalId: GoalId): Promise<NewGoal | null>;
  /** What the workflow says of itself; null when no worker answers in time. */
  query(goalId: GoalId): Promise<GoalViewQueryResult | null>;
  /** Starts an ended goal again. False when it runs: it is for the caller to say how it should end. */
  retry(goal: RetriedGoal): Promise<boolean>;
  /** @throws ASTRA_PLAN_CONFLICT, ASTRA_PLAN_INVALID, ASTRA_GOAL_FINISHED */
  amendPlan(goalId: GoalId, message: AmendPlanMessage): Promise<AmendPlanAnswer>;
  /** @throws ASTRA_PLAN_CONFLICT, ASTRA_GOAL_FINISHED */
  proposeChange(goalId: GoalId, change: ProposedChange): Promise<ProposeChangeAnswer>;
  /** False when the goal does not run any more. */
  cancel(goalId: GoalId, args: CancelGoalArgs): Promise<boolean>;
  /** False when the goal does not run any more. */
  pause(goalId: GoalId, args: PauseGoalArgs): Promise<boolean>;
  /** False when the goal does not run any more. */
  resume(goalId: GoalId): Promise<boolean>;
  /** False when the goal does not run any more. */
  deliverEvent(goalId: GoalId, args: DeliverEventArgs): Promise<boolean>;
  /** Has parked tasks executed again. False when the goal does not run any more. */
  unparkTasks(goalId: GoalId, args: UnparkTasksArgs): Promise<boolean>;
  /** Tells goals that wait for a limit to ask again. Never throws: they would ask again by themselves. */
  slotsFreed(goalIds: readonly GoalId[]): Promise<void>;
}

/** An ended goal that is to run again. */
export interface RetriedGoal {
  readonly head: GoalHead;
  /** Goals above it. */
  readonly depth: number;
  readonly retry: RetryGoalMessage;
}

/** Longer than other calls: a worker must check the change and record it, once what tasks share has ended. */
const amendTimeoutMs = 15_000;

/** The server takes 400 bytes, and a character may take four. */
const maxSummaryChars = 100;
/** Without a worker a query is never answered. */
const queryTimeoutMs = 1_000;

const objectiveOf = ({ objective, template }: GoalSubmission): string => objective ?? template?.name ?? 'plan';
const summarize = (objective: string): string => objective.replaceAll(/\s+/g, ' ').slice(0, maxSummaryChars);

const startOptions = (goalId: GoalId, tenant: string, about: Pick<GoalSubmission, 'priority'>) =>
  ({
    workflowId: goalWorkflowId(goalId),
    taskQueue: taskQueues.main,
    workflowTaskTimeout,
    workflowIdConflictPolicy: 'FAIL',
    priority: goalPriority(tenant, about),
  }) as const;

const handlesOf = (client: Client) => (goalId: GoalId) => client.workflow.getHandle(goalWorkflowId(goalId));

function createStarts(client: Client): Pick<GoalEngine, 'start' | 'retry'> {
  const handleOf = handlesOf(client);

  /** False when an execution of that id is there already. */
  async function unlessStarted(start: () => Promise<unknown>): Promise<boolean> {
    try {
      await callTemporal(client, start);
      return true;
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
      throw error;
    }
  }

  return {
    start: (input) =>
      unlessStarted(() =>
        client.workflow.start(goalWorkflowType, {
          ...startOptions(input.goalId, input.tenant, input.submission),
          workflowIdReusePolicy: 'REJECT_DUPLICATE',
          typedSearchAttributes: goalSearchAttributes(input.tenant, input.submission),
          staticSummary: summarize(objectiveOf(input.submission)),
          args: [input],
        }),
      ),

    async retry({ head: { id, tenant, labels, template, priority, ...head }, depth, retry }) {
      const input: GoalWorkflowInput = {
        tenant,
        goalId: id,
        submission: null,
        submittedAt: head.createdAt,
        bodyHash: null,
        parentGoalId: head.parentGoalId,
        depth,
        retry,
      };
      const attributes = { labels, ...(template !== null && { template: { name: template } }) };
      const startAgain = (): Promise<boolean> =>
        unlessStarted(() =>
          client.workflow.start(goalWorkflowType, {
            ...startOptions(id, tenant, { priority }),
            workflowIdReusePolicy: 'ALLOW_DUPLICATE',
            typedSearchAttributes: goalSearchAttributes(tenant, attributes),
            staticSummary: summarize(head.objective),
            args: [input],
          }),
        );
      if (await startAgain()) return true;
      // The record tells the end a moment before the execution is closed.
      await callTemporal(client, () => handleOf(id).result()).catch(() => undefined);
      return startAgain();
    },
  };
}

function createChanges(client: Client): Pick<GoalEngine, 'amendPlan' | 'proposeChange'> {
  const handleOf = handlesOf(client);

  // The two methods below pair messages with what they take and answer.
  async function update<Answer>(goalId: GoalId, message: string, args: { readonly changeId: string }): Promise<Answer> {
    try {
      return await callTemporal(
        client,
        () =>
          handleOf(goalId).executeUpdate<Answer, [object]>(message, {
            args: [args],
            updateId: `${message}/${args.changeId}`,
          }),
        {
          timeoutMs: amendTimeoutMs,
          unavailable: 'No worker took the change in time; it may still be made. Read the plan before you try again.',
        },
      );
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) {
        throw new AstraError('ASTRA_GOAL_FINISHED', `The goal ${goalId} has already ended.`, { cause: error });
      }
      throw toRefusal(error) ?? error;
    }
  }

  return {
    amendPlan: (goalId, message: AmendPlanMessage) => update(goalId, messages.amendPlan, message),
    proposeChange: (goalId, change: ProposedChange) => update(goalId, messages.proposeChange, change),
  };
}

export function createGoalEngine(client: Client, options: { readonly onRead?: () => void } = {}): GoalEngine {
  const handleOf = handlesOf(client);

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
    ...createStarts(client),
    ...createChanges(client),

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
    pause: (goalId, args) => signal(goalId, messages.pauseGoal, args),
    resume: (goalId) => signal(goalId, messages.resumeGoal, { by: 'request' } satisfies ResumeGoalArgs),
    deliverEvent: (goalId, args) => signal(goalId, messages.deliverEvent, args),
    unparkTasks: (goalId, args) => signal(goalId, messages.unparkTasks, args),
    async slotsFreed(goalIds) {
      await Promise.allSettled(goalIds.map((goalId) => signal(goalId, messages.slotsFreed, {})));
    },
  };
}
