import { z } from 'zod';
import { errorRegistry, type ErrorCode } from '../domain/errors.ts';
import { approvalSchema, decisionSchema } from '../domain/schemas/approval.ts';
import { artifactSchema } from '../domain/schemas/artifact.ts';
import {
  errorInfoSchema,
  goalIdSchema,
  jsonObjectSchema,
  jsonSchema,
  timestampSchema,
} from '../domain/schemas/common.ts';
import { limits } from '../domain/limits.ts';
import { eventSchema } from '../domain/schemas/event.ts';
import {
  goalStatusSchema,
  goalSubmissionSchema,
  goalViewSchema,
  graphViewSchema,
  taskViewSchema,
} from '../domain/schemas/goal.ts';
import { limitDefinitionSchema, limitSchema } from '../domain/schemas/limit.ts';
import { planSchema } from '../domain/schemas/plan.ts';
import { templateSchema } from '../domain/schemas/template.ts';
import { toolManifestSchema } from '../domain/schemas/tool.ts';
import { scopes } from './context.ts';

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

export const cancelRequestSchema = z.strictObject({ reason: z.string().max(1_000).optional() });
export const eventDeliverySchema = z.strictObject({
  name: z.string().min(1).max(128),
  data: jsonObjectSchema
    .refine(
      (data) => JSON.stringify(data).length <= limits.eventBytes,
      `at most ${limits.eventBytes} characters of JSON`,
    )
    .optional(),
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
  CancelRequest: cancelRequestSchema,
  EventDelivery: eventDeliverySchema,
  Graph: graphViewSchema,
  Task: taskViewSchema,
  Event: eventSchema,
  EventList: listOf(eventSchema),
  TaskProgress: taskProgressSchema,
  Artifact: artifactSchema,
  ArtifactRecord: artifactRecordSchema,
  ArtifactList: listOf(artifactRecordSchema),
  Approval: approvalSchema,
  ApprovalList: listOf(approvalSchema),
  Decision: decisionSchema,
  TemplateDefinition: templateDefinitionSchema,
  Template: templateSchema,
  TemplateList: listOf(templateSchema),
  LimitDefinition: limitDefinitionSchema,
  Limit: limitSchema,
  LimitList: listOf(limitSchema),
  Tool: toolManifestSchema,
  ToolList: listOf(toolManifestSchema),
  Me: meSchema,
  TokenRevocation: tokenRevocationSchema,
  Readiness: readinessSchema,
} as const satisfies Record<string, z.ZodType>;
export type SchemaName = keyof typeof namedSchemas;
