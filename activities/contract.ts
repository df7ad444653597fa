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
}
export interface BeginGoalArgs extends PlanGoalArgs {
  /** The goal was cancelled or paused before it began: it is recorded, and nothing of it is run. */
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
  /** Attempts that were made of it in other activities. */
  readonly attempted?: number;
  /** Of those, how many a pause has stopped: they count for no retry policy. */
  readonly held?: number;
  /** Another attempt is the workflow's to ask for: it looks at each of them. */
  readonly single?: true;
}

export interface ExecuteTasksArgs extends Pick<ExecuteTaskArgs, 'goal' | 'repeated'> {
  readonly taskIds: readonly string[];
}

export type TaskOutcome =
  { readonly status: 'completed' | 'skipped' | 'cancelled' } | { readonly status: 'failed'; readonly error: ErrorInfo };

/** An attempt has failed, and the task is to have another. */
export interface RetryDue {
  readonly status: 'retrying';
  readonly error: ErrorInfo;
  readonly afterSeconds: number;
  /** Attempts made so far. */
  readonly attempted: number;
}

/** The attempt was stopped on request, and the goal is not being cancelled: by a pause, after which the task goes on. */
export interface HeldAttempt {
  readonly status: 'held';
  /** Attempts made so far, this one included. */
  readonly attempted: number;
}

/** `attempted`: attempts that had begun. */
export type ParkedTask = TaskOutcome | { readonly status: 'parked'; readonly attempted: number };

/** What the workflow needs to carry a task out itself. */
export type OpenedTask =
  | { readonly settled: TaskOutcome }
  | { readonly map: { readonly items: number } }
  | { readonly childGoal: { readonly goalId: GoalId; readonly submission: GoalSubmission } }
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
export type ExecuteTaskResult = ExecutedTask | RetryDue | HeldAttempt;

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
}
export interface SegmentResult {
  readonly outcomes: { readonly [taskId: string]: TaskOutcome };
  /** Tasks that are not for a segment after all (too slow, or they need the stores): to be run as activities. */
  readonly deferred: readonly string[];
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
  /**
   * Records that a task that has begun waits for what the workflow sees to. A task that is recorded as ended is not
   * parked: then its outcome is the answer.
   * @param args.attempted attempts that the workflow knows of; the record may know of more
   */
  parkTask(args: {
    readonly task: TaskRef;
    readonly reason: ParkReason;
    readonly detail: string;
    readonly attempted: number;
  }): Promise<ParkedTask>;
  /** Evaluates the plan's output and records `goal.completed`, or `goal.failed` when it cannot be evaluated. */
  completeGoal(args: { readonly goal: GoalRef }): Promise<{ readonly error: ErrorInfo | null }>;
}

/** Run as activities of their own, on the task queue of the tool's worker class. */
export interface ToolActivities {
  /**
   * One attempt at a tool call. Throws a retryable failure while attempts are left, or with `single` says so; else records
   * the end. An attempt that is cancelled while its goal is not is held, not ended.
   */
  executeTask(task: ExecuteTaskArgs): Promise<ExecuteTaskResult>;
  /**
   * One attempt at each of several quick tool calls, side by side; answers when all have ended. Each is recorded by itself,
   * which is the checkpoint: should the worker die, those without a record run again.
   */
  executeTasks(tasks: ExecuteTasksArgs): Promise<{ readonly [taskId: string]: TaskOutcome | RetryDue | HeldAttempt }>;
}

/** A plan by a model: too slow for a local activity. Its goal's submission is recorded before. */
export interface PlannerActivities {
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities;
