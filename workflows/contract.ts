import {
  defineSearchAttributeKey,
  SearchAttributeType,
  type Priority,
  type SearchAttributePair,
} from '@temporalio/common';
import type { GoalHead, GoalSubmission, GoalView } from '../domain/schemas/goal.ts';
import type { ErrorInfo, GoalId } from '../domain/schemas/common.ts';
import type { ParkReason } from '../domain/schemas/event.ts';
import type { ApprovalTerms, Decision } from '../domain/schemas/approval.ts';
import type { GoalFork, GoalRetry, PlanChange } from '../domain/schemas/plan-change.ts';
import type { JsonObject } from '../domain/json.ts';
import type { PauseTally } from '../domain/pause-policy.ts';
import { defaultPriority } from '../domain/goal-head.ts';
import type { ReplanTerms } from '../domain/replans.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
import type { ScheduleDefinition } from '../domain/schemas/schedule.ts';
import type { GoalPause, PauseOn } from '../domain/schemas/pause.ts';
import { utf8Bytes } from '../domain/utf8-bytes.ts';

/** Everything the API and the worker may know of the workflows. */
export const taskQueues = {
  /** Workflows, kernel activities and tools share one queue, so that activities start eagerly on the workflow's worker. */
  main: 'astra',
  sandbox: 'astra-sandbox',
} as const;

export const goalWorkflowType = 'goalWorkflow';
/**
 * How long a step of a goal may be out before another worker does it, the default being 10 s: so long a goal waits whose
 * worker died in the middle of one. A history that takes longer to replay is given more by the server, from its fourth
 * attempt on.
 */
export const workflowTaskTimeout = '3 seconds';
/** The workflow's id is the goal's idempotency key. */
export const goalWorkflowId = (goalId: GoalId): string => `goal/${goalId}`;
/** A shard's has one more part. */
export const isGoalWorkflowId = (workflowId: string): boolean => /^goal\/[^/]+$/.test(workflowId);
/** Of a tenant's Temporal Schedules. */
export const schedulePrefix = (tenant: string): string => `schedule/${tenant}/`;

/** By these operators find goals in Temporal; the server must know them. */
export const searchAttributes = {
  tenant: defineSearchAttributeKey('AstraTenant', SearchAttributeType.KEYWORD),
  status: defineSearchAttributeKey('AstraStatus', SearchAttributeType.KEYWORD),
  labels: defineSearchAttributeKey('AstraLabels', SearchAttributeType.KEYWORD_LIST),
  template: defineSearchAttributeKey('AstraTemplate', SearchAttributeType.KEYWORD),
} as const;

/** The server refuses larger values. */
const maxAttributeBytes = 2_048;

/** A new goal's search attributes. Labels are kept as `key=value`; those that do not fit are found by the API alone. */
export function goalSearchAttributes(
  tenant: string,
  submission: Pick<GoalSubmission, 'labels' | 'template'>,
): SearchAttributePair[] {
  const all = Object.entries(submission.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  // As JSON: brackets, and a comma after each.
  let bytes = 2;
  const labels = all.filter((label) => (bytes += utf8Bytes(JSON.stringify(label)) + 1) <= maxAttributeBytes);
  return [
    { key: searchAttributes.tenant, value: tenant },
    ...(labels.length > 0 ? [{ key: searchAttributes.labels, value: labels }] : []),
    ...(submission.template ? [{ key: searchAttributes.template, value: submission.template.name }] : []),
  ];
}

/**
 * In which order a goal's steps and activities are taken from a backlog: by priority, and within one, each tenant in turn.
 * Its activities, shards and continued runs inherit it.
 */
export const goalPriority = (
  tenant: string,
  { priority = defaultPriority }: Pick<GoalSubmission, 'priority'>,
): Priority => ({
  priorityKey: priority,
  fairnessKey: tenant,
});

export interface GoalWorkflowInput {
  readonly tenant: string;
  readonly goalId: GoalId;
  /** Null in a continued run, whose plan is `carried`. */
  readonly submission: GoalSubmission | null;
  readonly submittedAt: string;
  /** Of the request's body; null for a sub-goal. */
  readonly bodyHash: string | null;
  readonly parentGoalId: GoalId | null;
  /** Subject of the token that the submission came with. */
  readonly submittedBy?: string | undefined;
  readonly depth: number;
  /** Of a sub-goal: the budgets that the goals above it count in. */
  readonly budgetScopes?: readonly string[];
  /** Set for a sub-goal, and for a continued run, of a workflow that was reset. */
  readonly repeated?: boolean;
  /** The goal has ended, and is tried again. */
  readonly retry?: RetryGoalMessage;
  /** It begins with what another goal has finished. */
  readonly fork?: ForkMessage;
  /** Set by continue-as-new. */
  readonly carried?: CarriedGoal;
}

/** What a continued goal keeps: shapes and statuses, never data. */
export interface CarriedGoal {
  readonly outline: PlanOutline;
  /** Settled tasks only. */
  readonly settled: { readonly [taskId: string]: 'completed' | 'failed' | 'skipped' | 'cancelled' };
  /** Events that came in before their wait. */
  readonly mailbox: { readonly [event: string]: readonly JsonObject[] };
  /** By task: those that are parked, or were. */
  readonly parked?: { readonly [taskId: string]: CarriedCall };
  /** By approval: what a voter wants done instead of what was asked about. */
  readonly edits: { readonly [approvalId: string]: JsonObject };
  /** Of a goal that replans, and how often it has. */
  readonly replans?: ReplanTerms & { readonly used?: number };
  /** Changes that people are asked about. */
  readonly proposed?: readonly ProposedChange[];
  /** It has slots to give back at its end. */
  readonly slots?: true;
  readonly pause?: CarriedPause;
  readonly policy?: CarriedPolicy;
}

/** From where a call goes on that is parked, or is to have another attempt. */
export interface CarriedCall {
  readonly attempted: number;
  /** Of those, how many a pause has stopped. */
  readonly held?: number;
  readonly unparked?: ParkReason;
  /** Attempts that do not count any more: people had it tried again after them. */
  readonly forgiven?: number;
  /** Of a call that is parked for a failure: what people have said. It is not executed again before they say so. */
  readonly word?: 'none' | 'retry' | 'discard';
}
export interface CarriedPause {
  /** Null: it is just being resumed. */
  readonly standing: (PauseGoalArgs & { readonly sinceMs: number }) | null;
  /** What people or policy ask for, and what the goal above does. */
  readonly asks: { readonly [asker in 'own' | 'parent']?: PauseGoalArgs };
}
/** When the goal pauses by itself, and what it has counted for it. */
export interface CarriedPolicy {
  readonly on: PauseOn;
  readonly tally?: PauseTally;
}

/** Answer of the workflow, seen by a parent goal and in the Temporal UI. The output itself is in the record. */
export interface GoalWorkflowResult {
  readonly status: 'completed' | 'failed' | 'cancelled';
}

export const scheduledGoalWorkflowType = 'scheduledGoalWorkflow';
/** A tenant's name has no slash, so no two tenants' schedules are named alike. */
export const scheduleId = (tenant: string, name: string): string => `${schedulePrefix(tenant)}${name}`;
/** The reverse of `scheduleId`; null for another tenant's. */
export const scheduleName = (tenant: string, id: string): string | null =>
  id.startsWith(schedulePrefix(tenant)) ? id.slice(schedulePrefix(tenant).length) : null;

export interface ScheduledGoalInput {
  readonly tenant: string;
  readonly definition: ScheduleDefinition;
}

export const messages = {
  cancelGoal: 'cancelGoal',
  pauseGoal: 'pauseGoal',
  resumeGoal: 'resumeGoal',
  deliverEvent: 'deliverEvent',
  decideApproval: 'decideApproval',
  amendPlan: 'amendPlan',
  proposeChange: 'proposeChange',
  delegateApproval: 'delegateApproval',
  unparkTasks: 'unparkTasks',
  shardParked: 'shardParked',
  slotsFreed: 'slotsFreed',
  goalView: 'goalView',
  /** One of the goals that this one waits for has ended. */
  awaitedGoalEnded: 'awaitedGoalEnded',
} as const;

/** A request, whose repetition has the same `changeId`. */
export interface RetryGoalMessage {
  readonly request: { readonly run: number } & GoalRetry;
  readonly by: string;
  readonly changeId: string;
}
export type ForkMessage = { readonly from: NonNullable<GoalHead['forkedFrom']> } & GoalFork;
export interface AmendPlanMessage {
  readonly change: PlanChange;
  readonly by: string;
  readonly changeId: string;
}
/** Refused with an `ApplicationFailure` of the type `ASTRA_PLAN_CONFLICT`, `ASTRA_PLAN_INVALID` or `ASTRA_GOAL_FINISHED`. */
export interface AmendPlanAnswer {
  readonly revision: number;
}
/** A change that is kept under its id, and how people are asked about it. */
export interface ProposedChange {
  readonly changeId: string;
  readonly by: string;
  readonly terms: ApprovalTerms;
}
/** Refused with an `ApplicationFailure` of the type `ASTRA_PLAN_CONFLICT`, `ASTRA_NOT_FOUND` or `ASTRA_GOAL_FINISHED`. */
export interface ProposeChangeAnswer {
  readonly approvalId: string;
}
export interface CancelGoalArgs {
  readonly reason: string | null;
  /** What has completed is to be taken back. */
  readonly compensate?: true;
}
/** `parent`: the goal above is paused, of which a map's shard is a part. */
export type PauseGoalArgs = Readonly<Omit<GoalPause, 'since'>>;
export interface ResumeGoalArgs {
  readonly by: Exclude<GoalPause['by'], 'policy'>;
}
export interface DeliverEventArgs {
  readonly name: string;
  readonly data: JsonObject;
}
/** What tasks were parked for is lifted: they are executed again, or, with an error, fail. */
export interface UnparkTasksArgs {
  readonly reason: ParkReason;
  /** All that are parked for the reason, unless given. */
  readonly taskIds?: readonly string[];
  /** Of those parked for a failure, which are always named: the attempt each is parked after. What is said twice is said once. */
  readonly attempts?: { readonly [taskId: string]: number };
  /** They fail as they are recorded to have failed. */
  readonly discard?: true;
  readonly error?: ErrorInfo;
  /** The goal's outcome is certain: of a shard nothing that is parked, or comes to be, is executed again. */
  readonly closed?: true;
}
/** A shard of a wide map tells its goal that items of it are parked, and whether people may help. */
export interface ShardParkedArgs {
  readonly shard: string;
  readonly ask: boolean;
}
export interface DecideApprovalArgs {
  readonly approvalId: string;
  readonly subject: string;
  /** Of the voter's token, those that the approval's deciders name. */
  readonly scopes?: readonly string[];
  /** Of a risky task without the edited input: that is kept beside the record, and here is its hash. */
  readonly decision: Decision;
  readonly editedInputSha256?: string;
  /** RFC 3339; when the vote was given. */
  readonly at: string;
}
/**
 * Refused with an `ApplicationFailure` whose type is `ASTRA_APPROVAL_DECIDED`, `ASTRA_APPROVAL_EDITED`, `ASTRA_FORBIDDEN` or
 * `ASTRA_NOT_FOUND`.
 */
export interface DecideApprovalResult {
  readonly status: 'pending' | 'approved' | 'rejected';
}
export interface DelegateApprovalArgs extends Pick<DecideApprovalArgs, 'approvalId' | 'subject' | 'scopes' | 'at'> {
  readonly to: string;
  readonly comment: string | null;
}
/** Refused like a decision, or with `ASTRA_DELEGATION_INVALID`. */
export interface DelegateApprovalResult {
  /** Who has the vote now. */
  readonly to: string;
}
/** The last resort of reads: what the workflow itself knows while the stores are away. */
export type GoalViewQueryResult = Pick<GoalView, 'status' | 'progress'>;

/** One of it runs for the whole namespace, for ever. */
export const retentionWorkflow = {
  type: 'retentionWorkflow',
  id: 'retention',
  /** Signal: look now. */
  wake: 'wake',
} as const;

export const erasureWorkflow = {
  type: 'erasureWorkflow',
  /** It says nothing of whom or what the deletion is about: the execution stays when that is gone. */
  id: (deletionId: string): string => `erasure/${deletionId}`,
} as const;
export interface ErasureWorkflowInput {
  readonly deletionId: string;
}
/** How the API and the sweep start one; once it runs, starting it again does nothing. */
export const erasureStart = (deletionId: string) =>
  ({
    workflowId: erasureWorkflow.id(deletionId),
    taskQueue: taskQueues.main,
    workflowTaskTimeout,
    workflowIdConflictPolicy: 'USE_EXISTING',
    args: [{ deletionId } satisfies ErasureWorkflowInput],
  }) as const;
