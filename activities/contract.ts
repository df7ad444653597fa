import type { Approval } from '../domain/schemas/approval.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { EventDraft } from '../domain/schemas/event.ts';
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
  /** The goal was cancelled before it began: it is recorded, and nothing of it is run. */
  readonly planOnly?: true;
}
/**
 * How a goal stands with the limits that apply to it: it has its slots, or is to ask for them again when it is told
 * that some are free, and after so many seconds by itself (null: nobody knows when).
 */
export type Slots = 'held' | { readonly waitSeconds: number | null };
/** Left out: no limit applies to the goal. */
interface WithSlots {
  readonly slots?: Slots;
}
export type PlanGoalResult = { readonly outline: PlanOutline } | { readonly error: ErrorInfo };
export type SubmissionResult = WithSlots | { readonly error: ErrorInfo };
export type BeginGoalResult = WithSlots & (BegunGoal | { readonly error: ErrorInfo });
export interface BegunGoal {
  readonly outline: PlanOutline;
  /** What came of the first segment; null: there was none. */
  readonly begun: SegmentResult | null;
  /** Nothing was left to do: the goal's completion is recorded too. */
  readonly completed: boolean;
}

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
}

export type TaskOutcome =
  { readonly status: 'completed' | 'skipped' | 'cancelled' } | { readonly status: 'failed'; readonly error: ErrorInfo };

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
export type ExecuteTaskResult = TaskOutcome & { readonly goalCompleted?: true };

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
  /** Records the submission alone, of a goal whose plan takes its time, and asks for its slots. */
  recordSubmission(args: PlanGoalArgs): Promise<SubmissionResult>;
  /**
   * Validates the goal's plan, given or a template's, runs its first segment, and completes the goal when nothing is
   * left; records all that at once. Of a plan that people must approve nothing is run, nor of a goal that must wait for
   * its slots.
   */
  beginGoal(args: BeginGoalArgs): Promise<BeginGoalResult>;
  /** Asks for a recorded goal's slots; records that it waits, or waits no more. Null: no limit applies to it. */
  takeSlots(args: { readonly goal: GoalRef }): Promise<Slots | { readonly error: ErrorInfo } | null>;
  /** Gives back a goal's slots, or its places in the lines, and tells the next. */
  giveBackSlots(args: { readonly goal: GoalRef }): Promise<void>;
  /** Records what the workflow alone decided. Events already recorded are not recorded again. */
  recordEvents(args: { readonly goal: GoalRef; readonly events: readonly EventDraft[] }): Promise<void>;
  /** Evaluates `when` and what else the workflow must know; records the start. */
  openTask(args: TaskRef): Promise<OpenedTask>;
  /** Gathers the output and records the end, unless one is recorded: then answers with that. */
  closeTask(args: { readonly task: TaskRef; readonly ending: TaskEnding }): Promise<TaskOutcome>;
  /** Evaluates the plan's output and records `goal.completed`, or `goal.failed` when it cannot be evaluated. */
  completeGoal(args: { readonly goal: GoalRef }): Promise<{ readonly error: ErrorInfo | null }>;
}

/** Run as activities of their own, on the task queue of the tool's worker class. */
export interface ToolActivities {
  /** One attempt at a tool call. Throws a retryable failure while attempts are left; else records the end. */
  executeTask(task: ExecuteTaskArgs): Promise<ExecuteTaskResult>;
}

/** A plan by a model: too slow for a local activity. Its goal's submission is recorded before. */
export interface PlannerActivities {
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities;
