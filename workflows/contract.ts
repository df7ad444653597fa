import {
  defineSearchAttributeKey,
  SearchAttributeType,
  type Priority,
  type SearchAttributePair,
} from '@temporalio/common';
import type { GoalId } from '../domain/schemas/common.ts';
import type { GoalSubmission, GoalView } from '../domain/schemas/goal.ts';
import type { Decision } from '../domain/schemas/approval.ts';
import type { JsonObject } from '../domain/json.ts';
import { defaultPriority } from '../domain/goal-head.ts';
import type { PlanOutline } from '../domain/plan-outline.ts';
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
export function goalSearchAttributes(tenant: string, submission: GoalSubmission): SearchAttributePair[] {
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
export const goalPriority = (tenant: string, { priority = defaultPriority }: GoalSubmission): Priority => ({
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
  readonly depth: number;
  /** Set for a sub-goal, and for a continued run, of a workflow that was reset. */
  readonly repeated?: boolean;
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
  /** By approval: what a voter wants done instead of what was asked about. */
  readonly edits: { readonly [approvalId: string]: JsonObject };
  /** It has slots to give back at its end. */
  readonly slots?: true;
}

/** Answer of the workflow, seen by a parent goal and in the Temporal UI. The output itself is in the record. */
export interface GoalWorkflowResult {
  readonly status: 'completed' | 'failed' | 'cancelled';
}

export const messages = {
  cancelGoal: 'cancelGoal',
  deliverEvent: 'deliverEvent',
  decideApproval: 'decideApproval',
  slotsFreed: 'slotsFreed',
  goalView: 'goalView',
} as const;

export interface CancelGoalArgs {
  readonly reason: string | null;
}
export interface DeliverEventArgs {
  readonly name: string;
  readonly data: JsonObject;
}
export interface DecideApprovalArgs {
  readonly approvalId: string;
  readonly subject: string;
  readonly decision: Decision;
  /** RFC 3339; when the vote was given. */
  readonly at: string;
}
/** Refused with an `ApplicationFailure` whose type is `ASTRA_APPROVAL_DECIDED` or `ASTRA_NOT_FOUND`. */
export interface DecideApprovalResult {
  readonly status: 'pending' | 'approved' | 'rejected';
}
/** The last resort of reads: what the workflow itself knows while the stores are away. */
export type GoalViewQueryResult = Pick<GoalView, 'status' | 'progress'>;
