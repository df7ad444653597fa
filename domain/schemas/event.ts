import { z } from 'zod';
import type { Artifact } from './artifact.ts';
import type { Decision } from './approval.ts';
import { goalIdSchema, jsonObjectSchema, timestampSchema, type ErrorInfo, type GoalId, type Usage } from './common.ts';
import type { GoalHead, TaskView, WaitingFor } from './goal.ts';
import type { Json, JsonObject } from '../json.ts';
import type { PlanOutline } from '../plan-outline.ts';

/** An output as it travels in events: inline up to `limits.inlineOutputBytes`, else a reference. */
export type Output = { readonly output: Json } | { readonly artifact: Artifact };

/** Event type → its data. Times are RFC 3339. A type marked `task` names its task in `taskId`. */
export interface EventData {
  'goal.submitted': { readonly head: GoalHead };
  'goal.context_assembled': { readonly documents: number; readonly sizeBytes: number };
  /** It waits for its slots; recorded again when what it waits for changes. */
  'goal.queued': { readonly waitingFor: WaitingFor };
  /** It has its slots, after it was queued. */
  'goal.admitted': Readonly<Record<string, never>>;
  'goal.cancelling': { readonly reason: string | null };
  'goal.completed': Output;
  'goal.failed': { readonly error: ErrorInfo };
  'goal.cancelled': { readonly reason: string | null };
  'plan.proposed': { readonly outline: PlanOutline };
  'plan.approved': { readonly revision: number; readonly by: string };
  'plan.rejected': { readonly revision: number; readonly by: string; readonly comment: string | null };
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
  'task.completed': Output & { readonly startedAt: string; readonly usage?: Usage };
  'task.failed': { readonly error: ErrorInfo; readonly startedAt?: string; readonly usage?: Usage };
  'task.skipped': { readonly reason: 'condition' | 'upstream_skipped' | 'goal_ended' };
  'task.cancelled': { readonly reason: string | null };
  'approval.requested': {
    readonly approvalId: string;
    readonly kind: 'plan' | 'task';
    readonly prompt: string;
    readonly input: JsonObject | null;
    readonly required: number;
    readonly expiresAt: string | null;
  };
  'approval.decided': {
    readonly approvalId: string;
    readonly subject: string;
    readonly decision: Decision['decision'];
    readonly comment: string | null;
    /** The approval's state after this vote. */
    readonly status: 'pending' | 'approved' | 'rejected';
  };
  'approval.expired': { readonly approvalId: string };
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
  'goal.queued',
  'goal.admitted',
  'goal.cancelling',
  'goal.completed',
  'goal.failed',
  'goal.cancelled',
  'plan.proposed',
  'plan.approved',
  'plan.rejected',
  'task.queued',
  'task.started',
  'task.retrying',
  'task.completed',
  'task.failed',
  'task.skipped',
  'task.cancelled',
  'approval.requested',
  'approval.decided',
  'approval.expired',
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
