import type { ApprovalView, Decision, Deciders, DelegationRequest } from '../domain/schemas/approval.ts';
import type { PolicyRule, PolicyView } from '../domain/schemas/approval-policy.ts';
import type { Artifact } from '../domain/schemas/artifact.ts';
import type { Budget, BudgetAmounts } from '../domain/schemas/budget.ts';
import type { ErrorInfo } from '../domain/schemas/common.ts';
import type { GoalEvent } from '../domain/schemas/event.ts';
import type {
  GoalStatus,
  GoalSubmission as ParsedSubmission,
  GoalView,
  GraphView,
  TaskStatus,
  TaskView,
  WaitingFor,
} from '../domain/schemas/goal.ts';
import type { InboundWebhook, InboundWebhookDefinition } from '../domain/schemas/inbound-webhook.ts';
import type { LimitDefinition, LimitView } from '../domain/schemas/limit.ts';
import type { ParkedSelection as ParsedSelection, ParkedTaskView, ToldTasks } from '../domain/schemas/parked-task.ts';
import type { Plan } from '../domain/schemas/plan.ts';
import type { GoalFork, GoalRetry, PlanAmendment, PlanChange } from '../domain/schemas/plan-change.ts';
import type { PlanDiff } from '../domain/plan-change.ts';
import type { Estimate } from '../domain/estimate.ts';
import type { Schedule as ParsedSchedule, ScheduleDefinition as ParsedDefinition } from '../domain/schemas/schedule.ts';
import type { ArchiveDownload, ArchivedGoal, Deletion, Retention } from '../domain/schemas/retention.ts';
import type { Template } from '../domain/schemas/template.ts';
import type { ToolManifest } from '../domain/schemas/tool.ts';
import type { Webhook, WebhookDefinition, WebhookDelivery } from '../domain/schemas/webhook.ts';
import type { ErrorCode, Fault } from '../domain/errors.ts';
import type { Json, JsonObject } from '../domain/json.ts';

export type {
  ApprovalView as Approval,
  ArchiveDownload,
  ArchivedGoal,
  Artifact,
  Deciders,
  Budget,
  BudgetAmounts,
  Decision,
  Deletion,
  DelegationRequest,
  ErrorCode,
  ErrorInfo,
  Estimate,
  Fault,
  GoalEvent,
  GoalFork,
  GoalRetry,
  GoalStatus,
  GoalView,
  GraphView,
  InboundWebhook,
  InboundWebhookDefinition,
  Json,
  JsonObject,
  LimitDefinition,
  Plan,
  PlanChange,
  PlanDiff,
  ParkedTaskView as ParkedTask,
  Retention,
  PolicyRule as ApprovalPolicyRule,
  PolicyView as ApprovalPolicies,
  TaskStatus,
  TaskView,
  Template,
  ToldTasks,
  ToolManifest,
  WaitingFor,
  Webhook,
  WebhookDefinition,
  WebhookDelivery,
};

/** What `submit` takes; ids are any strings. */
export type GoalSubmission = Omit<ParsedSubmission, 'dependsOnGoalIds'> & {
  readonly dependsOnGoalIds?: readonly string[] | undefined;
};

/** Of the tasks that are parked for a failure those that all of this is true of. */
export type ParkedSelection = Omit<ParsedSelection, 'goalIds'> & { readonly goalIds?: readonly string[] | undefined };

/** When to start which goal. */
export type ScheduleDefinition = Omit<ParsedDefinition, 'goal'> & { readonly goal: GoalSubmission };
/** A schedule with its next and latest runs. */
export type Schedule = Omit<ParsedSchedule, 'goal'> & { readonly goal: GoalSubmission };

/** What every call takes: an abort rejects it with the signal's reason, also while it waits to try again. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** An artifact with where it came from. */
export type ArtifactRecord = Artifact & {
  readonly goalId: string | null;
  readonly taskId: string | null;
  readonly createdAt: string;
};

/** One revision of a goal's plan. */
export interface PlanRevision {
  readonly goalId: string;
  readonly revision: number;
  readonly source: 'explicit' | 'template' | 'model';
  readonly plan: Plan;
}

/** What a change would do to a plan. */
export interface PlanChangePreview {
  readonly diff: PlanDiff;
  readonly estimate: Estimate;
}

/** How people are asked about a change: `required` of `deciders`, until `expiresSeconds` have passed. */
export type ChangeApproval = NonNullable<PlanAmendment['approval']>;

/** A change that people are asked about. */
export interface PlanProposal extends PlanChangePreview {
  readonly goalId: string;
  readonly approvalId: string;
}

/** What of a goal would run again, and what would be used as it is. */
export interface RerunPreview {
  readonly willRun: readonly string[];
  readonly reused: readonly string[];
  readonly estimate: Estimate;
}

/** A webhook with its secret, which is shown when it is created and never again. */
export type NewWebhook = Webhook & { readonly secret: string };

/** A limit, with how many goals or calls hold and want its places. */
export type Limit = LimitView;

/** A template as the API keeps it. */
export type StoredTemplate = Template & { readonly updatedAt: string };

/** Live lane: output of a running task as it is written. May be lost; the durable events never are. */
export interface TaskProgress {
  readonly type: 'task.progress';
  readonly taskId: string;
  readonly attempt: number;
  /** `stdout`, `stderr` or another name the tool gives. */
  readonly stream: string;
  readonly text: string;
  readonly at: string;
}

/** How a goal came to its end. `artifact` stands in for an output too large to travel inline. */
export type GoalResult =
  | { readonly status: 'completed'; readonly output: Json; readonly artifact?: undefined }
  | { readonly status: 'completed'; readonly output?: undefined; readonly artifact: Artifact }
  | { readonly status: 'failed'; readonly error: ErrorInfo }
  | { readonly status: 'cancelled'; readonly error: ErrorInfo | null };
