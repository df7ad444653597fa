import { z } from 'zod';
import type { Artifact } from './artifact.ts';
import type { Approval, Decision, Deciders } from './approval.ts';
import type { BudgetAmounts, BudgetUnit } from './budget.ts';
import { goalIdSchema, jsonObjectSchema, timestampSchema, type ErrorInfo, type GoalId, type Usage } from './common.ts';
import type { GoalHead, TaskView, WaitingFor } from './goal.ts';
import type { Json, JsonObject } from '../json.ts';
import type { PlanOutline } from '../plan-outline.ts';
import type { GoalPause } from './pause.ts';

/** An output as it travels in events: inline up to `limits.inlineOutputBytes`, else a reference. */
export type Output = { readonly output: Json } | { readonly artifact: Artifact };

/** `output`: the task's, once more, if it travels inline; `items`: how many of a map were compensated. */
interface Compensated {
  readonly output?: Json;
  readonly items?: number;
}

/** Why a task waits that nothing of its own goal can let go on. */
export type ParkReason = 'budget' | 'failed' | 'paused';

/** Event type → its data. Times are RFC 3339. A type marked `task` names its task in `taskId`. */
export interface EventData {
  'goal.submitted': { readonly head: GoalHead };
  'goal.context_assembled': { readonly documents: number; readonly sizeBytes: number };
  /** The goal must not begin yet; again when it waits for something else. */
  'goal.waiting': { readonly waitingFor: WaitingFor };
  /** What it waited for has come. */
  'goal.released': { readonly [nothing: string]: never };
  'goal.paused': Readonly<Omit<GoalPause, 'since'>>;
  'goal.resumed': { readonly by: Exclude<GoalPause['by'], 'policy'> };
  /** It waits for its slots; recorded again when what it waits for changes. */
  'goal.queued': { readonly waitingFor: WaitingFor };
  /** It has its slots, after it was queued. */
  'goal.admitted': { readonly [nothing: string]: never };
  'goal.cancelling': { readonly reason: string | null; readonly compensate?: true };
  'goal.completed': Output;
  'goal.failed': { readonly error: ErrorInfo };
  /** `error`: what could not be compensated. */
  'goal.cancelled': { readonly reason: string | null; readonly error?: ErrorInfo };
  'plan.proposed': { readonly outline: PlanOutline };
  /** A new revision: these tasks are new, gone or begin anew; all others are what they were. */
  'plan.amended': {
    readonly outline: PlanOutline;
    readonly added: readonly string[];
    readonly removed: readonly string[];
    readonly replaced: readonly string[];
    readonly reason: string | null;
    readonly by: string;
    /** Of the request, by which its repetition is known. */
    readonly changeId: string;
    /** People were asked about it. */
    readonly approvalId?: string;
    /** It was made because this task had failed. */
    readonly failedTask?: string;
  };
  /** The goal had ended and runs again, with a new revision of its plan: these tasks begin anew. */
  'goal.retried': {
    readonly run: number;
    readonly outline: PlanOutline;
    readonly restarted: readonly string[];
    readonly by: string;
    readonly changeId: string;
  };
  'plan.approved': { readonly revision: number; readonly by: string };
  'plan.rejected': {
    readonly revision: number;
    readonly by: string;
    readonly comment: string | null;
    /** It was a change of the plan: the goal goes on as it was. */
    readonly changeId?: string;
    readonly approvalId?: string;
    readonly failedTask?: string;
    readonly error?: ErrorInfo;
  };
  /** task: its call is put off by a limit. */
  'task.queued': { readonly waitingFor: WaitingFor };
  /** task: an attempt began. Left out for a task that ends sooner than it would be recorded. */
  'task.started': {
    readonly queuedAt?: string;
    readonly waitingFor?: TaskView['waitingFor'];
    readonly childGoalId?: GoalId;
    readonly items?: number;
  };
  'task.retrying': { readonly error: ErrorInfo; readonly nextAttemptAt: string };
  /** task: it waits for something that a person or the outside can lift. */
  'task.parked': { readonly reason: ParkReason; readonly detail?: string; readonly error?: ErrorInfo };
  /** task: it is tried again. */
  'task.unparked': { readonly reason: ParkReason };
  'task.completed': Output & { readonly startedAt: string; readonly usage?: Usage };
  'task.failed': { readonly error: ErrorInfo; readonly startedAt?: string; readonly usage?: Usage };
  'task.skipped': { readonly reason: 'condition' | 'upstream_skipped' | 'goal_ended' };
  /** `startedAt`: of the attempt that was aborted. */
  'task.cancelled': { readonly reason: string | null; readonly startedAt?: string };
  /** task: its effect was taken back. These two may follow the end of a goal: that of one whose parent is cancelled. */
  'task.compensated': Compensated;
  'task.compensation_failed': Compensated & { readonly error: ErrorInfo };
  'approval.requested': {
    readonly approvalId: string;
    readonly kind: Approval['kind'];
    readonly prompt: string;
    readonly input: JsonObject | null;
    readonly required: number;
    readonly expiresAt: string | null;
    readonly onExpiry?: 'approve';
    readonly deciders?: Deciders;
    readonly agentId?: string;
    readonly tool?: string;
    readonly inputArtifact?: Artifact;
    readonly map?: NonNullable<Approval['map']>;
    readonly change?: NonNullable<Approval['change']>;
  };
  'approval.decided': {
    readonly approvalId: string;
    readonly subject: string;
    readonly decision: Decision['decision'];
    readonly comment: string | null;
    /** The approval's state after this vote. */
    readonly status: 'pending' | 'approved' | 'rejected';
    readonly editedInputSha256?: string;
  };
  /** `subject` may not vote any more; `to` may. */
  'approval.delegated': {
    readonly approvalId: string;
    readonly subject: string;
    readonly to: string;
    readonly comment: string | null;
  };
  'approval.expired': { readonly approvalId: string };
  /** task: what the attempt may cost is set aside in each of the budgets named. */
  'budget.reserved': { readonly amounts: BudgetAmounts; readonly scopes: readonly string[] };
  /** task: what the attempt has cost. Null: nobody knows, as it was lost, so what was reserved counts. */
  'budget.settled': { readonly actual: BudgetAmounts | null };
  'budget.exhausted': { readonly scope: string; readonly unit: BudgetUnit; readonly limit: string | number };
  /** People have approved it. `limit`: the new one. */
  'budget.raised': { readonly approvalId: string; readonly scope: string; readonly limit: BudgetAmounts };
  'artifact.created': { readonly artifact: Artifact };
}
export type EventType = keyof EventData;

/** What a producer hands to the recorder: everything but the `seq`, which is given at commit. */
export type EventDraft = {
  [T in EventType]: {
    readonly type: T;
    readonly taskId: string | null;
    readonly attempt: number;
    readonly at: string;
    readonly data: EventData[T];
  };
}[EventType];

/** A recorded event. Within a goal `seq` is gapless and starts at 1. */
export type GoalEvent = EventDraft & { readonly goalId: GoalId; readonly seq: number };

export const eventTypes = [
  'goal.submitted',
  'goal.context_assembled',
  'goal.waiting',
  'goal.released',
  'goal.paused',
  'goal.resumed',
  'goal.queued',
  'goal.admitted',
  'goal.cancelling',
  'goal.completed',
  'goal.failed',
  'goal.cancelled',
  'goal.retried',
  'plan.proposed',
  'plan.amended',
  'plan.approved',
  'plan.rejected',
  'task.queued',
  'task.started',
  'task.retrying',
  'task.parked',
  'task.unparked',
  'task.completed',
  'task.failed',
  'task.skipped',
  'task.cancelled',
  'task.compensated',
  'task.compensation_failed',
  'approval.requested',
  'approval.decided',
  'approval.delegated',
  'approval.expired',
  'budget.reserved',
  'budget.settled',
  'budget.exhausted',
  'budget.raised',
  'artifact.created',
] as const satisfies readonly EventType[];

/** The event's envelope on the wire. `data` is described per type in docs/reference/events.md. */
export const eventSchema = z.strictObject({
  goalId: goalIdSchema,
  seq: z.int(),
  type: z.enum(eventTypes),
  taskId: z.string().nullable(),
  attempt: z.int(),
  at: timestampSchema,
  data: jsonObjectSchema,
});
