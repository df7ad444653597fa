import type { Approval } from '../domain/schemas/approval.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { EventDraft, ParkReason } from '../domain/schemas/event.ts';
import type { GoalSubmission } from '../domain/schemas/goal.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { GoalRef } from '../domain/goal-ref.ts';

export type { GoalRef };

/**
 * What workflows may ask of the world.
 *
 * 1. Arguments and answers carry control only: ids, statuses, shapes. Inputs and outputs stay in the record, where
 *    activities read them by goal and task; so no history grows with data and no payload limit is met.
 * 2. Whoever does the work records it before answering. A recorded task never runs again: each activity that ends a
 *    task looks for its record first and answers with that.
 */

export interface PlanGoalArgs {
  readonly goal: GoalRef;
  readonly submission: GoalSubmission;
  readonly parentGoalId: GoalId | null;
  /** RFC 3339; when the goal was accepted. */
  readonly submittedAt: string;
  /** Of the request's body, by which a repeat with the same idempotency key is told; null for a sub-goal. */
  readonly bodyHash: string | null;
  /** 0 for a goal submitted by a client. */
  readonly depth: number;
  /** Those that the goals above it count in. */
  readonly budgetScopes?: readonly string[];
}
export interface BeginGoalArgs extends PlanGoalArgs {
  /** The goal was cancelled before it began: it is recorded, and nothing of it is run. */
  readonly planOnly?: true;
}
export type PlanGoalResult = { readonly outline: PlanOutline } | { readonly error: ErrorInfo };
export type BeginGoalResult =
  | {
      readonly outline: PlanOutline;
      /** What came of the first segment; null: there was none. */
      readonly begun: SegmentResult | null;
      /** Nothing was left to do: the goal's completion is recorded too. */
      readonly completed: boolean;
    }
  | { readonly error: ErrorInfo };

export interface TaskRef {
  readonly goal: GoalRef;
  /** `each.3` is item 3 of the map `each`. */
  readonly taskId: string;
}

export interface ExecuteTaskArgs extends TaskRef {
  /** All others have settled: the goal is completed with it. */
  readonly last?: true;
  /** The workflow was reset by an operator: what this is a first attempt at may have ended before. */
  readonly repeated?: true;
  /** It was parked `after` so many attempts, which are not counted anew. */
  readonly resumed?: { readonly after: number; readonly reason: ParkReason };
}

export type TaskOutcome =
  { readonly status: 'completed' | 'skipped' | 'cancelled' } | { readonly status: 'failed'; readonly error: ErrorInfo };

/** What the workflow needs to carry a task out itself. */
export type OpenedTask =
  | { readonly settled: TaskOutcome }
  | { readonly map: { readonly items: number } }
  | {
      readonly childGoal: {
        readonly goalId: GoalId;
        readonly submission: GoalSubmission;
        readonly budgetScopes?: readonly string[];
      };
    }
  | { readonly approval: OpenedApproval }
  | { readonly wait: { readonly seconds: number } }
  | { readonly wait: { readonly event: string; readonly timeoutSeconds: number | null } };

export interface OpenedApproval {
  readonly approvalId: string;
  readonly required: number;
  readonly status: Approval['status'];
  /** Who has approved it already: an earlier run of the workflow may have opened it. */
  readonly approvedBy: readonly string[];
  /** Seconds that are left; null: it does not expire. */
  readonly expiresSeconds: number | null;
}

/** How a task that the workflow carried out came to its end. */
export type TaskEnding =
  | { readonly kind: 'map'; readonly items: number; readonly minSuccess: number }
  | { readonly kind: 'childGoal'; readonly goalId: GoalId }
  | { readonly kind: 'approved'; readonly editedInput: JsonObject | null }
  | { readonly kind: 'output'; readonly output: JsonObject | null }
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  | { readonly kind: 'cancelled'; readonly reason: string | null };

export interface SegmentArgs {
  readonly goal: GoalRef;
  /** Inline tasks the segment may run; their dependencies are settled or in this list. */
  readonly taskIds: readonly string[];
}
/** `goalCompleted`: with the task, which was the last one, the goal's completion is recorded. */
export type ExecutedTask = TaskOutcome & { readonly goalCompleted?: true };
/** The task has not ended: it is to be executed again once what it waits for is lifted. */
export interface ParkedTask {
  readonly status: 'parked';
  readonly reason: ParkReason;
  /** Those that had begun: see `ExecuteTaskArgs.resumed`. */
  readonly attempts: number;
  /** What keeps it: people may be asked to lift it, or what runs leaves room; else the outside will. */
  readonly by: 'people' | 'room' | 'outside';
}
export type ExecuteTaskResult = ExecutedTask | ParkedTask;

export interface MapSegmentArgs {
  readonly task: TaskRef;
  readonly from: number;
  /** The segment ends early when more items than this have failed. */
  readonly maxFailed: number;
}
export interface MapSegmentResult {
  /** The first item that was not looked at. */
  readonly next: number;
  readonly failed: number;
  /** Items that are not for a segment after all: to be run as activities. */
  readonly deferred: readonly number[];
  /** None of them is: the goal's calls are counted one by one. */
  readonly apart?: true;
}
export interface SegmentResult {
  readonly outcomes: { readonly [taskId: string]: TaskOutcome };
  /** Tasks that are not for a segment after all (too slow, or they need the stores): to be run as activities. */
  readonly deferred: readonly string[];
  /** No task of the goal is for a segment from now on: its calls are counted one by one. */
  readonly apart?: true;
}

/** Run as local activities or, when they follow one another, as activities of their own. */
export interface SegmentActivities {
  /** Runs quick tasks without effects, following the graph, for up to half a second; answers with all that settled. */
  runSegment(args: SegmentArgs): Promise<SegmentResult>;
  /** The same for the items of a map, in order, beginning with `from`. */
  runMapSegment(args: MapSegmentArgs): Promise<MapSegmentResult>;
}

/** Run as local activities, on whichever worker has the workflow. */
export interface KernelActivities extends SegmentActivities {
  /** Records the submission alone, of a goal whose plan takes its time. */
  recordSubmission(args: PlanGoalArgs): Promise<void>;
  /**
   * Validates the goal's plan, given or a template's, runs its first segment, and completes the goal when nothing is
   * left; records all that at once. Of a plan that people must approve nothing is run.
   */
  beginGoal(args: BeginGoalArgs): Promise<BeginGoalResult>;
  /** Records what the workflow alone decided. Events already recorded are not recorded again. */
  recordEvents(args: { readonly goal: GoalRef; readonly events: readonly EventDraft[] }): Promise<void>;
  /** Evaluates `when` and what else the workflow must know; records the start. */
  openTask(args: TaskRef): Promise<OpenedTask>;
  /** Gathers the output and records the end, unless one is recorded: then answers with that. */
  closeTask(args: { readonly task: TaskRef; readonly ending: TaskEnding }): Promise<TaskOutcome>;
  /** Asks people to raise the goal's budget, or one above it, that its tasks are parked for; null: it has room again. */
  askForBudget(args: { readonly goal: GoalRef }): Promise<OpenedApproval | null>;
  /** Raises a budget as was approved; answers with other goals that have tasks parked for it. */
  raiseBudget(args: {
    readonly goal: GoalRef;
    readonly approvalId: string;
    readonly editedInput: JsonObject | null;
  }): Promise<{ readonly waiting: readonly GoalId[] }>;
  /** Evaluates the plan's output and records `goal.completed`, or `goal.failed` when it cannot be evaluated. */
  completeGoal(args: { readonly goal: GoalRef }): Promise<{ readonly error: ErrorInfo | null }>;
}

/** Run as activities of their own, on the task queue of the tool's worker class. */
export interface ToolActivities {
  /** One attempt at a tool call. Throws a retryable failure while attempts are left; else records the end, or parks it. */
  executeTask(task: ExecuteTaskArgs): Promise<ExecuteTaskResult>;
}

/** A plan by a model: too slow for a local activity. Its goal's submission is recorded before. */
export interface PlannerActivities {
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities;
