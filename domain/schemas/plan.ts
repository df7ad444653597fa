import { z } from 'zod';
import { limits } from '../limits.ts';
import { approvalTerms, checkTerms } from './approval.ts';
import { jsonObjectSchema, jsonSchema, taskIdSchema } from './common.ts';

const expressionSchema = z.string().min(1).max(limits.expressionChars);

export const retrySchema = z.strictObject({
  maxAttempts: z.int().min(1).max(100).optional(),
  initialIntervalSeconds: z.number().min(0.01).max(3600).optional(),
  backoffCoefficient: z.number().min(1).max(10).optional(),
  maxIntervalSeconds: z.number().min(0.01).max(86_400).optional(),
  nonRetryableCodes: z.array(z.string().max(100)).max(50).optional(),
});
export type RetryPolicy = z.infer<typeof retrySchema>;

const toolCall = {
  kind: z.literal('tool'),
  tool: z.string().min(1).max(128),
  input: jsonObjectSchema.optional(),
  timeoutSeconds: z.number().min(0.1).max(86_400).optional(),
  retry: retrySchema.optional(),
  /** Asks people before it runs, also where the tool's manifest says that its risk is low. */
  risk: z.literal('high').optional(),
};

const common = {
  id: taskIdSchema,
  title: z.string().min(1).max(200).optional(),
  after: z.array(taskIdSchema).max(limits.fanIn).optional(),
  when: expressionSchema.optional(),
  onFailure: z
    .enum(['fail', 'continue'], {
      error: 'must be "fail" or "continue"; what can be parked is a tool call or a map of them',
    })
    .optional(),
};
/** Of calls, which can be made again. */
const parkable = { ...common, onFailure: z.enum(['fail', 'continue', 'park']).optional() };

export const toolTaskSchema = z.strictObject({ ...parkable, ...toolCall });
export const mapTaskSchema = z.strictObject({
  ...parkable,
  kind: z.literal('map'),
  over: expressionSchema,
  maxConcurrency: z.int().min(1).max(1_000).optional(),
  minSuccess: z.union([z.literal('all'), z.number().min(0).max(1)]).optional(),
  task: z.strictObject(toolCall),
});
export const goalTaskSchema = z.strictObject({ ...common, kind: z.literal('goal'), goal: jsonObjectSchema });
export const approvalTaskSchema = z
  .strictObject({
    ...common,
    kind: z.literal('approval'),
    prompt: z.string().min(1).max(10_000),
    input: jsonObjectSchema.optional(),
    ...approvalTerms,
  })
  .superRefine(checkTerms);
export const waitTaskSchema = z
  .strictObject({
    ...common,
    kind: z.literal('wait'),
    seconds: z.number().min(0).max(31_536_000).optional(),
    event: z.string().min(1).max(128).optional(),
    timeoutSeconds: z.number().min(0.1).max(31_536_000).optional(),
  })
  .refine((task) => (task.seconds === undefined) !== (task.event === undefined), {
    message: 'a wait has exactly one of seconds and event',
  });

export const taskSchema = z.discriminatedUnion('kind', [
  toolTaskSchema,
  mapTaskSchema,
  goalTaskSchema,
  approvalTaskSchema,
  waitTaskSchema,
]);
export const planSchema = z.strictObject({
  tasks: z.array(taskSchema).min(1).max(limits.planTasks),
  output: jsonSchema.optional(),
});

export type ToolTask = z.infer<typeof toolTaskSchema>;
export type MapTask = z.infer<typeof mapTaskSchema>;
export type GoalTask = z.infer<typeof goalTaskSchema>;
export type ApprovalTask = z.infer<typeof approvalTaskSchema>;
export type WaitTask = z.infer<typeof waitTaskSchema>;
/** One task of a plan, as its author wrote it: expressions are still text. */
export type Task = z.infer<typeof taskSchema>;
export type TaskKind = Task['kind'];
/** The plan IR: the one shape that people, templates and models produce and the workflow interprets. */
export type Plan = z.infer<typeof planSchema>;
