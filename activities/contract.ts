import type { Approval, Deciders, Delegation } from '../domain/schemas/approval.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { GoalHead, GoalSubmission } from '../domain/schemas/goal.ts';
import type { GoalFork, GoalRetry, PlanChange } from '../domain/schemas/plan-change.ts';
import type { SettledStatus } from '../domain/task-graph-nodes.ts';
import type { EventDraft } from '../domain/schemas/event.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import type {
  CompensationCall,
  ExecuteTaskArgs,
  ParkedTask,
  TaskOutcome,
  TaskRef,
  ToolActivities,
} from './call-contract.ts';

export type { GoalRef };
export type * from './call-contract.ts';

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
  /** Subject of the token that the submission came with; none for a sub-goal. */
  readonly submittedBy?: string | undefined;
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

/** What keeps a goal from beginning. */
export type GoalHold =
  | { readonly kind: 'free' }
  | { readonly kind: 'time'; readonly seconds: number }
  | { readonly kind: 'goals' }
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  /** Its cascade was cancelled after it was submitted. */
  | { readonly kind: 'cancelled'; readonly reason: string | null };

/** What the workflow needs to carry a task out itself. */
export type OpenedTask =
  | { readonly settled: TaskOutcome }
  | { readonly map: { readonly items: number } }
  | { readonly childGoal: OpenedSubGoal }
  /** Also of a tool call or a map that people must approve first. */
  | { readonly approval: OpenedApproval }
  /** A tool call that may run. */
  | { readonly cleared: true }
  | { readonly wait: { readonly seconds: number } }
  | { readonly wait: { readonly event: string; readonly timeoutSeconds: number | null } };

export interface OpenedSubGoal {
  readonly goalId: GoalId;
  readonly submission: GoalSubmission;
  /** Those that its parent counts in. */
  readonly budgetScopes?: readonly string[];
  /** It has ended, and is tried again. */
  readonly retry?: RetryRequest;
  readonly fork?: ForkRequest;
}

/** The goal that another one begins from, and what of it is not used as it is. */
export interface ForkRequest extends GoalFork {
  readonly from: NonNullable<GoalHead['forkedFrom']>;
}
export interface ForkGoalArgs extends PlanGoalArgs {
  readonly fork: ForkRequest;
}

/** What of an ended goal is tried again. */
export interface RetryRequest {
  /** The goal's run that begins thereby. */
  readonly run: number;
  readonly tasks: GoalRetry['tasks'];
  readonly inputs?: GoalRetry['inputs'];
}

/** A request that changes a plan, as it is recorded. */
interface PlanRequest {
  /** The goal by the revision that is changed. */
  readonly goal: GoalRef;
  readonly by: string;
  /** The same for a repetition of the request. */
  readonly changeId: string;
}
export interface AmendPlanArgs extends PlanRequest {
  readonly change: PlanChange;
}
export interface RetryGoalArgs extends PlanRequest {
  readonly retry: RetryRequest;
}
export type AmendPlanResult = { readonly outline: PlanOutline } | { readonly error: ErrorInfo };
export type RetryGoalResult =
  | { readonly outline: PlanOutline; readonly settled: { readonly [taskId: string]: SettledStatus } }
  | { readonly error: ErrorInfo };

export interface OpenedApproval {
  readonly approvalId: string;
  readonly required: number;
  readonly status: Approval['status'];
  /** Who has approved it already: an earlier run of the workflow may have opened it. */
  readonly approvedBy: readonly string[];
  /** Seconds that are left; null: it does not expire. */
  readonly expiresSeconds: number | null;
  /** Who may vote; absent: whoever may decide approvals at all. */
  readonly deciders?: Deciders;
  readonly delegations?: readonly Pick<Delegation, 'from' | 'to'>[];
  /** When its time is up it counts as approved, not as rejected. */
  readonly onExpiry?: 'approve';
  /** Of the input that those in `approvedBy` have put in the place of the one asked about. */
  readonly editedInputSha256?: string;
}

/** How a task that the workflow carried out came to its end. */
export type TaskEnding =
  | { readonly kind: 'map'; readonly items: number; readonly minSuccess: number }
  | { readonly kind: 'childGoal'; readonly goalId: GoalId }
  | { readonly kind: 'approved'; readonly editedInput: JsonObject | null }
  | { readonly kind: 'output'; readonly output: JsonObject | null }
  | { readonly kind: 'failed'; readonly error: ErrorInfo }
  /** It was parked for a failure that is recorded, and people want it tried no more. */
  | { readonly kind: 'discarded' }
  | { readonly kind: 'cancelled'; readonly reason: string | null };

export interface ParkTaskArgs extends Required<Pick<ExecuteTaskArgs, 'attempted'>>, Pick<ExecuteTaskArgs, 'unparked'> {
  readonly task: TaskRef;
  readonly error: ErrorInfo;
}

export interface SegmentArgs {
  readonly goal: GoalRef;
  /** Inline tasks the segment may run; their dependencies are settled or in this list. */
  readonly taskIds: readonly string[];
}
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
   * Records the submission of a goal that may not begin at once, and what it waits for now. Asked again whenever that may
   * have changed; `free` and `failed` are final.
   */
  holdGoal(args: PlanGoalArgs): Promise<GoalHold>;
  /**
   * Validates the goal's plan, given or a template's, runs its first segment, and completes the goal when nothing is
   * left; records all that at once. Of a plan that people must approve nothing is run.
   */
  beginGoal(args: BeginGoalArgs): Promise<BeginGoalResult>;
  /** Validates a change of the running goal's plan and records the new revision. Finished tasks stay as they are. */
  amendPlan(args: AmendPlanArgs): Promise<AmendPlanResult>;
  /** Reopens an ended goal with a new revision of its plan, in which the chosen tasks and what follows them begin anew. */
  retryGoal(args: RetryGoalArgs): Promise<RetryGoalResult>;
  /** Plans a goal by another one's plan, and records what finished there as finished here. */
  forkGoal(args: ForkGoalArgs): Promise<RetryGoalResult>;
  /** Records what the workflow alone decided. Events already recorded are not recorded again. */
  recordEvents(args: { readonly goal: GoalRef; readonly events: readonly EventDraft[] }): Promise<void>;
  /** Evaluates `when` and what else the workflow must know; records the start. */
  openTask(args: TaskRef): Promise<OpenedTask>;
  /** Gathers the output and records the end, unless one is recorded: then answers with that. */
  closeTask(args: { readonly task: TaskRef; readonly ending: TaskEnding }): Promise<TaskOutcome>;
  /** Parks a call of which every attempt was lost; answers with its end when one is recorded after all. */
  parkTask(args: ParkTaskArgs): Promise<TaskOutcome | ParkedTask>;
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
  /** What to compensate next, side by side. When there is nothing left, `error` says what could not be. */
  planCompensation(args: {
    readonly goal: GoalRef;
  }): Promise<{ readonly calls: readonly CompensationCall[]; readonly error: ErrorInfo | null }>;
  /** Records that a compensation was lost with every worker that tried it. */
  failCompensation(args: { readonly task: TaskRef; readonly error: ErrorInfo }): Promise<void>;
}

/** Run as activities of their own. What they are to do, and how far it is, stands in the stores. */
export interface RetentionActivities {
  /** Begins the deletion of goals whose time has come, and goes on with deletions that nobody works at. */
  sweep(): Promise<void>;
  /** Does some of a deletion. */
  erase(args: { readonly deletionId: string }): Promise<EraseResult>;
}
export interface EraseResult {
  readonly done: boolean;
  /** Until it is worth going on. */
  readonly waitSeconds: number;
}

/** A plan by a model: too slow for a local activity. Its goal's submission is recorded before. */
export interface PlannerActivities {
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities & RetentionActivities;
