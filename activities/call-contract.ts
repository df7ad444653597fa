import type { GoalRef } from '../domain/goal-ref.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { ParkReason } from '../domain/schemas/event.ts';
import type { WorkerClass } from '../domain/schemas/tool.ts';

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
  /** It was parked for this, and goes on. */
  readonly unparked?: ParkReason;
  /** Attempts that do not count any more: people had it tried again after them. */
  readonly forgiven?: number;
  /** `openTask` has asked policy, and people where that says so: the call is made with the input they approved. */
  readonly cleared?: true;
}

export interface ExecuteTasksArgs extends Pick<ExecuteTaskArgs, 'goal' | 'repeated'> {
  readonly taskIds: readonly string[];
  /** Of those, how many a pause has stopped: they count for no retry policy. */
  readonly held?: number;
  /** Another attempt is the workflow's to ask for: it looks at each of them. */
  readonly single?: true;
  /** It was parked for this, and goes on. */
  readonly unparked?: ParkReason;
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

/** `goalCompleted`: with the task, which was the last one, the goal's completion is recorded. */
export type ExecutedTask = TaskOutcome & { readonly goalCompleted?: true };
/** The task has not ended: it is to be executed again once what it waits for is lifted. */
export interface ParkedTask {
  readonly status: 'parked';
  readonly reason: ParkReason;
  /** Those that had begun. */
  readonly attempted: number;
  /** What keeps it: people may be asked to lift it, or what runs leaves room; else the outside will. */
  readonly by: 'people' | 'room' | 'outside';
}
/** The attempt was stopped on request, and the goal is not being cancelled: by a pause, after which the task goes on. */
export interface HeldAttempt {
  readonly status: 'held';
  /** Attempts made so far, this one included. */
  readonly attempted: number;
}
/** What is left of a call that has not ended. */
export type Undone = RetryDue | Unapproved | ParkedTask | HeldAttempt;
/** What comes of an attempt at a call. */
export type ExecuteTaskAnswer = ExecutedTask | Undone;

/** A completed task or item whose effect is to be taken back. */
export interface CompensationCall extends TaskRef {
  readonly workerClass: WorkerClass;
  /** Of one attempt. */
  readonly timeoutSeconds: number;
  readonly maxAttempts: number;
}

/** Run as activities of their own, on the task queue of the tool's worker class. */
export interface ToolActivities {
  /**
   * One attempt at a tool call. Throws a retryable failure while attempts are left, or with `single` says so; else records
   * the end, or parks it. An attempt that is cancelled while its goal is not is held, not ended.
   */
  executeTask(task: ExecuteTaskArgs): Promise<ExecuteTaskAnswer>;
  /**
   * One attempt at each of several quick tool calls, side by side; answers when all have ended. Each is recorded by itself,
   * which is the checkpoint: should the worker die, those without a record run again.
   */
  executeTasks(tasks: ExecuteTasksArgs): Promise<{ readonly [taskId: string]: ExecuteTaskAnswer }>;
  /** One attempt at taking back what a task has done. Throws while attempts are left; else records what came of it. */
  compensateTask(call: CompensationCall): Promise<void>;
}
