import { z } from 'zod';
import { errorRegistry, type ErrorCode } from '../domain/errors.ts';
import { approvalViewSchema, decisionSchema, delegationRequestSchema } from '../domain/schemas/approval.ts';
import { policySchema, policyViewSchema } from '../domain/schemas/approval-policy.ts';
import { artifactSchema } from '../domain/schemas/artifact.ts';
import { budgetDefinitionSchema, budgetSchema } from '../domain/schemas/budget.ts';
import {
  errorInfoSchema,
  goalIdSchema,
  jsonObjectSchema,
  jsonSchema,
  timestampSchema,
} from '../domain/schemas/common.ts';
import { limits } from '../domain/limits.ts';
import { eventSchema } from '../domain/schemas/event.ts';
import { scheduleDefinitionSchema, scheduleSchema } from '../domain/schemas/schedule.ts';
import {
  inboundReceiptSchema,
  inboundWebhookDefinitionSchema,
  inboundWebhookSchema,
} from '../domain/schemas/inbound-webhook.ts';
import {
  cascadeIdSchema,
  goalStatusSchema,
  goalSubmissionSchema,
  goalViewSchema,
  graphViewSchema,
  planSourceSchema,
  taskViewSchema,
} from '../domain/schemas/goal.ts';
import { runningModeSchema } from '../domain/schemas/pause.ts';
import { limitDefinitionSchema, limitSchema } from '../domain/schemas/limit.ts';
import { parkedSelectionSchema, parkedTaskSchema, toldTasksSchema } from '../domain/schemas/parked-task.ts';
import { planSchema } from '../domain/schemas/plan.ts';
import { goalForkSchema, goalRetrySchema, planAmendmentSchema } from '../domain/schemas/plan-change.ts';
import {
  archiveDownloadSchema,
  archivedGoalSchema,
  deletionSchema,
  retentionSchema,
  subjectForgettingSchema,
  tenantDeletionSchema,
} from '../domain/schemas/retention.ts';
import { templateSchema } from '../domain/schemas/template.ts';
import { toolManifestSchema } from '../domain/schemas/tool.ts';
import {
  deliverySchema,
  newWebhookSchema,
  webhookDefinitionSchema,
  webhookSchema,
  webhookSecretSchema,
} from '../domain/schemas/webhook.ts';
import { scopes } from './context.ts';
import { idempotencyKeySchema } from './params.ts';

// Object.keys of a const object gives exactly its keys.
export const errorCodes = Object.keys(errorRegistry) as [ErrorCode, ...ErrorCode[]];

export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.enum(errorCodes),
  retryable: z.boolean(),
  errors: z.array(z.strictObject({ pointer: z.string(), message: z.string() })),
  requestId: z.string(),
});

export const goalResultSchema = z.strictObject({
  goalId: goalIdSchema,
  status: goalStatusSchema,
  output: jsonSchema.optional(),
  /** Instead of `output` when it is larger than travels inline. */
  artifact: artifactSchema.optional(),
  error: errorInfoSchema.nullable(),
});
export type GoalResult = z.infer<typeof goalResultSchema>;

export const cancelRequestSchema = z.strictObject({
  reason: z.string().max(1_000).optional(),
  /** Have what has completed taken back, where its tools can. */
  compensate: z.boolean().optional(),
});
export const pauseRequestSchema = z.strictObject({
  /** What becomes of running tool calls: `finish` (the default) or `hold`. */
  running: runningModeSchema.optional(),
  shiftDeadlines: z.boolean().optional(),
  reason: z.string().max(1_000).optional(),
});
export const resumeRequestSchema = z.strictObject({});
export const cascadeCancelSchema = z.strictObject({
  reason: z.string().max(1_000).optional(),
  cascadeId: cascadeIdSchema,
});
const cancelledCascadeSchema = z.strictObject({
  cascadeId: cascadeIdSchema,
  /** How many recorded goals were told to stop. */
  cancelling: z.int(),
});

/** A line of a batch. */
const batchItemSchema = goalSubmissionSchema.safeExtend({ idempotencyKey: idempotencyKeySchema.optional() });
/** What came of a line of a batch: the goal, or why there is none. */
const batchResultSchema = z.strictObject({
  /** Of the line, from 0. */
  index: z.int(),
  /** As `POST /v1/goals` would have answered it. */
  status: z.int(),
  goal: goalViewSchema.optional(),
  problem: problemSchema.optional(),
  retryAfterSeconds: z.int().optional(),
});

export const schedulePauseSchema = z.strictObject({ reason: z.string().max(1_000).optional() });
export const backfillRequestSchema = z
  .strictObject({ from: timestampSchema, to: timestampSchema })
  .refine(({ from, to }) => Date.parse(from) <= Date.parse(to), { message: 'is before `from`', path: ['to'] });
const backfillSchema = z.strictObject({
  /** The times that run, or would run. */
  times: z.array(timestampSchema),
});
export const eventDeliverySchema = z.strictObject({
  name: z.string().min(1).max(128),
  data: jsonObjectSchema
    .refine(
      (data) => JSON.stringify(data).length <= limits.eventBytes,
      `at most ${limits.eventBytes} characters of JSON`,
    )
    .optional(),
});

const estimateSchema = z.strictObject({ usd: z.string(), seconds: z.number() });
const idsSchema = z.array(z.string());
export const planChangePreviewSchema = z.strictObject({
  diff: z.strictObject({ added: idsSchema, removed: idsSchema, replaced: idsSchema, kept: idsSchema }),
  estimate: estimateSchema,
});
/** What people are asked about. */
export const planProposalSchema = planChangePreviewSchema.extend({ goalId: goalIdSchema, approvalId: z.string() });
export const rerunPreviewSchema = z.strictObject({
  willRun: idsSchema,
  reused: idsSchema,
  estimate: estimateSchema,
});
export const planRevisionSchema = z.strictObject({
  goalId: goalIdSchema,
  revision: z.int(),
  source: planSourceSchema,
  plan: planSchema,
});

/** A frame of the live lane. No event: it has no place in the sequence, and may be lost. */
export const taskProgressSchema = z.strictObject({
  goalId: goalIdSchema,
  type: z.literal('task.progress'),
  taskId: z.string(),
  attempt: z.int(),
  at: timestampSchema,
  stream: z.enum(['stdout', 'stderr', 'text', 'log']),
  text: z.string(),
});

/** The path has the name; a body may repeat it. */
export const templateDefinitionSchema = templateSchema.partial({ name: true });

export const artifactRecordSchema = artifactSchema.extend({
  goalId: goalIdSchema.nullable(),
  taskId: z.string().nullable(),
  createdAt: timestampSchema,
});
export const tokenRevocationSchema = z.strictObject({ token: z.string().min(1).max(16_384).optional() });
export const meSchema = z.strictObject({ subject: z.string(), tenant: z.string(), scopes: z.array(z.enum(scopes)) });

const dependencySchema = z.strictObject({
  state: z.enum(['up', 'down']),
  latencyMs: z.number(),
  detail: z.string().optional(),
});
export const readinessSchema = z.strictObject({
  status: z.enum(['ready', 'degraded', 'not ready']),
  dependencies: z.record(z.string(), dependencySchema),
});

const listOf = (items: z.ZodType) => z.strictObject({ items: z.array(items), nextCursor: z.string().nullable() });

/** Everything `#/components/schemas` has. A schema used inside another is a reference there. */
export const namedSchemas = {
  Json: jsonSchema,
  JsonObject: jsonObjectSchema,
  Problem: problemSchema,
  ErrorInfo: errorInfoSchema,
  Plan: planSchema,
  GoalSubmission: goalSubmissionSchema,
  Goal: goalViewSchema,
  GoalList: listOf(goalViewSchema),
  GoalResult: goalResultSchema,
  BatchItem: batchItemSchema,
  BatchResult: batchResultSchema,
  CancelRequest: cancelRequestSchema,
  CascadeCancel: cascadeCancelSchema,
  CancelledCascade: cancelledCascadeSchema,
  PauseRequest: pauseRequestSchema,
  ResumeRequest: resumeRequestSchema,
  EventDelivery: eventDeliverySchema,
  PlanRevision: planRevisionSchema,
  PlanChange: planAmendmentSchema,
  PlanChangePreview: planChangePreviewSchema,
  PlanProposal: planProposalSchema,
  AmendedGoal: z.union([goalViewSchema, planProposalSchema]),
  GoalRetry: goalRetrySchema,
  GoalFork: goalForkSchema,
  RerunPreview: rerunPreviewSchema,
  Graph: graphViewSchema,
  Task: taskViewSchema,
  Event: eventSchema,
  EventList: listOf(eventSchema),
  TaskProgress: taskProgressSchema,
  Artifact: artifactSchema,
  ArtifactRecord: artifactRecordSchema,
  ArtifactList: listOf(artifactRecordSchema),
  Approval: approvalViewSchema,
  ApprovalList: listOf(approvalViewSchema),
  Decision: decisionSchema,
  DelegationRequest: delegationRequestSchema,
  ApprovalPolicyRules: policySchema,
  ApprovalPolicies: policyViewSchema,
  Budget: budgetSchema,
  BudgetDefinition: budgetDefinitionSchema,
  ParkedTask: parkedTaskSchema,
  ParkedTaskList: listOf(parkedTaskSchema),
  ParkedSelection: parkedSelectionSchema,
  ToldTasks: toldTasksSchema,
  TemplateDefinition: templateDefinitionSchema,
  Template: templateSchema,
  TemplateList: listOf(templateSchema),
  ScheduleDefinition: scheduleDefinitionSchema,
  Schedule: scheduleSchema,
  ScheduleList: listOf(scheduleSchema),
  SchedulePause: schedulePauseSchema,
  BackfillRequest: backfillRequestSchema,
  Backfill: backfillSchema,
  LimitDefinition: limitDefinitionSchema,
  Limit: limitSchema,
  LimitList: listOf(limitSchema),
  Tool: toolManifestSchema,
  ToolList: listOf(toolManifestSchema),
  WebhookDefinition: webhookDefinitionSchema,
  Webhook: webhookSchema,
  NewWebhook: newWebhookSchema,
  WebhookList: listOf(webhookSchema),
  WebhookSecret: webhookSecretSchema,
  WebhookDelivery: deliverySchema,
  WebhookDeliveryList: listOf(deliverySchema),
  InboundWebhookDefinition: inboundWebhookDefinitionSchema,
  InboundWebhook: inboundWebhookSchema,
  InboundWebhookList: listOf(inboundWebhookSchema),
  InboundReceipt: inboundReceiptSchema,
  Me: meSchema,
  TokenRevocation: tokenRevocationSchema,
  Retention: retentionSchema,
  Deletion: deletionSchema,
  TenantDeletion: tenantDeletionSchema,
  SubjectForgetting: subjectForgettingSchema,
  ArchivedGoal: archivedGoalSchema,
  ArchivedGoalList: listOf(archivedGoalSchema),
  ArchiveDownload: archiveDownloadSchema,
  Readiness: readinessSchema,
} as const satisfies Record<string, z.ZodType>;
export type SchemaName = keyof typeof namedSchemas;
