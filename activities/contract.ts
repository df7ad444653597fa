import type { Approval, Deciders, Delegation } from '../domain/schemas/approval.ts';
import type { GoalId } from '../domain/schemas/common.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { EventDraft } from '../domain/schemas/event.ts';
import type { GoalHead, GoalSubmission } from '../domain/schemas/goal.ts';
import type { GoalFork, GoalRetry } from '../domain/schemas/plan-change.ts';
import type { WorkerClass } from '../domain/schemas/tool.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
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
  /** `openTask` has asked policy, and people where that says so: the call is made with the input they approved. */
  readonly cleared?: true;
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

/** Policy has come to ask about the call since the goal was planned; nothing was done. */
export interface Unapproved {
  readonly status: 'unapproved';
}

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
  | { readonly kind: 'cancelled'; readonly reason: string | null };

export interface SegmentArgs {
  readonly goal: GoalRef;
  /** Inline tasks the segment may run; their dependencies are settled or in this list. */
  readonly taskIds: readonly string[];
}
/** `goalCompleted`: with the task, which was the last one, the goal's completion is recorded. */
export type ExecuteTaskResult = TaskOutcome & { readonly goalCompleted?: true };
export type ExecuteTaskAnswer = ExecuteTaskResult | Unapproved;

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

/** A completed task or item whose effect is to be taken back. */
export interface CompensationCall extends TaskRef {
  readonly workerClass: WorkerClass;
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
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
  /** Asks people about a change that is kept, or goes on asking. */
  openChange(args: OpenChangeArgs): Promise<OpenChangeResult>;
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
  /** Evaluates the plan's output and records `goal.completed`, or `goal.failed` when it cannot be evaluated. */
  completeGoal(args: { readonly goal: GoalRef }): Promise<{ readonly error: ErrorInfo | null }>;
  /** What to compensate next, side by side. When there is nothing left, `error` says what could not be. */
  planCompensation(args: {
    readonly goal: GoalRef;
  }): Promise<{ readonly calls: readonly CompensationCall[]; readonly error: ErrorInfo | null }>;
  /** Records that a compensation was lost with every worker that tried it. */
  failCompensation(args: { readonly task: TaskRef; readonly error: ErrorInfo }): Promise<void>;
}

/** Run as activities of their own, on the task queue of the tool's worker class. */
export interface ToolActivities {
  /** One attempt at a tool call. Throws a retryable failure while attempts are left; else records the end. */
  executeTask(task: ExecuteTaskArgs): Promise<ExecuteTaskAnswer>;
  /**
   * One attempt at each of several quick tool calls, side by side; answers when all have ended. Each is recorded by itself,
   * which is the checkpoint: should the worker die, those without a record run again.
   */
  executeTasks(tasks: ExecuteTasksArgs): Promise<{ readonly [taskId: string]: TaskOutcome | RetryDue | Unapproved }>;
  /** One attempt at taking back what a task has done. Throws while attempts are left; else records what came of it. */
  compensateTask(call: CompensationCall): Promise<void>;
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

/** Too slow for local activities. */
export interface PlannerActivities {
  /** A plan by a model. Its goal's submission is recorded before. */
  planGoalWithModel(args: PlanGoalArgs): Promise<PlanGoalResult>;
  /** A change by the goal's planner, which is kept, not made. One that is kept already is not asked for again. */
  askPlanner(args: AskPlannerArgs): Promise<AskPlannerResult>;
}

export type Activities = KernelActivities & ToolActivities & PlannerActivities & RetentionActivities;
