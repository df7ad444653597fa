import type { Approval, Deciders, Delegation } from '../domain/schemas/approval.ts';
import type { ErrorInfo, GoalId } from '../domain/schemas/common.ts';
import type { GoalHead, GoalSubmission } from '../domain/schemas/goal.ts';
import type { EventDraft, ParkReason } from '../domain/schemas/event.ts';
import type { GoalFork, GoalRetry } from '../domain/schemas/plan-change.ts';
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
import type {
  AmendPlanArgs,
  AmendPlanResult,
  AskPlannerArgs,
  AskPlannerResult,
  OpenChangeArgs,
  OpenChangeResult,
  RetryGoalArgs,
  RetryGoalResult,
} from './plan-contract.ts';

export type { GoalRef };
export type * from './call-contract.ts';
export type * from './plan-contract.ts';

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
  /** The goal was cancelled or paused before it began: it is recorded, and nothing of it is run. */
  readonly planOnly?: true;
}
/**
 * How a goal stands with the limits that apply to it: it has its slots, or is to ask for them again when it is told
 * that some are free, and after so many seconds by itself (null: nobody knows when).
 */
export type Slots = 'held' | { readonly waitSeconds: number | null };
/** Left out: no limit applies to the goal. */
export type WithSlots = { readonly slots?: Slots };
type Failed = { readonly error: ErrorInfo };
export type PlanGoalResult = { readonly outline: PlanOutline } | Failed;
export type BeginGoalResult = WithSlots & (BegunGoal | Failed);
export interface BegunGoal {
  readonly outline: PlanOutline;
  /** What came of the first segment; null: there was none. */
  readonly begun: SegmentResult | null;
  /** Nothing was left to do: the goal's completion is recorded too. */
  readonly completed: boolean;
}

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

export interface ParkLostArgs extends Required<Pick<ExecuteTaskArgs, 'attempted'>>, Pick<ExecuteTaskArgs, 'unparked'> {
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

type OfGoal = { readonly goal: GoalRef };

/** Run as local activities, on whichever worker has the workflow. */
export interface KernelActivities extends SegmentActivities {
  /** Records the submission alone, of a goal whose plan takes its time, and asks for its slots. */
  recordSubmission(args: PlanGoalArgs): Promise<WithSlots | Failed>;
  /**
   * Records the submission of a goal that may not begin at once, and what it waits for now. Asked again whenever that may
   * have changed; `free` and `failed` are final.
   */
  holdGoal(args: PlanGoalArgs): Promise<GoalHold>;
  /**
   * Validates the goal's plan, given or a template's, runs its first segment, and completes the goal when nothing is
   * left; records all that at once. Of a plan that people must approve nothing is run, nor of a goal that must wait for
   * its slots.
   */
  beginGoal(args: BeginGoalArgs): Promise<BeginGoalResult>;
  /** Validates a change of the running goal's plan and records the new revision. Finished tasks stay as they are. */
  amendPlan(args: AmendPlanArgs): Promise<AmendPlanResult>;
  /** Asks people about a change that is kept, or goes on asking. */
  openChange(args: OpenChangeArgs): Promise<OpenChangeResult>;
  /** Reopens an ended goal with a new revision of its plan, in which the chosen tasks and what follows them begin anew; asks for its slots. */
  retryGoal(args: RetryGoalArgs): Promise<RetryGoalResult>;
  /** Plans a goal by another one's plan, and records what finished there as finished here; asks for its slots. */
  forkGoal(args: ForkGoalArgs): Promise<RetryGoalResult>;
  /** Asks for a recorded goal's slots; records that it waits, or waits no more. Null: no limit applies to it. */
  takeSlots(args: OfGoal): Promise<Slots | Failed | null>;
  /** Gives back a goal's slots, or its places in the lines, and tells the next. */
  giveBackSlots(args: OfGoal): Promise<void>;
  /** Records what the workflow alone decided. Events already recorded are not recorded again. */
  recordEvents(args: { readonly goal: GoalRef; readonly events: readonly EventDraft[] }): Promise<void>;
  /** Evaluates `when` and what else the workflow must know; records the start. */
  openTask(args: TaskRef): Promise<OpenedTask>;
  /** Gathers the output and records the end, unless one is recorded: then answers with that. */
  closeTask(args: { readonly task: TaskRef; readonly ending: TaskEnding }): Promise<TaskOutcome>;
  /** Parks a call of which every attempt was lost; answers with its end when one is recorded after all. */
  parkLost(args: ParkLostArgs): Promise<TaskOutcome | ParkedTask>;
  /** Asks people to raise the goal's budget, or one above it, that its tasks are parked for; null: it has room again. */
  askForBudget(args: { readonly goal: GoalRef }): Promise<OpenedApproval | null>;
  /** Raises a budget as was approved; answers with other goals that have tasks parked for it. */
  raiseBudget(args: {
    readonly goal: GoalRef;
    readonly approvalId: string;
    readonly editedInput: JsonObject | null;
  }): Promise<{ readonly waiting: readonly GoalId[] }>;
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
  }): Promise<TaskOutcome | { readonly status: 'parked'; readonly attempted: number }>;
  /** Evaluates the plan's output and records `goal.completed`, or `goal.failed` when it cannot be evaluated. */
  completeGoal(args: OfGoal): Promise<{ readonly error: ErrorInfo | null }>;
  /** What to compensate next, side by side. When there is nothing left, `error` says what could not be. */
  planCompensation(
    args: OfGoal,
  ): Promise<{ readonly calls: readonly CompensationCall[]; readonly error: ErrorInfo | null }>;
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
/** `waitSeconds`: until it is worth going on. */
export type EraseResult = { readonly done: boolean; readonly waitSeconds: number };

/** Too slow for local activities. */
export interface PlannerActivities {
  /** A plan by a model. Its goal's submission is recorded before. */
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
  /** A change by the goal's planner, which is kept, not made. One that is kept already is not asked for again. */
  askPlanner(args: AskPlannerArgs): Promise<AskPlannerResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities & RetentionActivities;
