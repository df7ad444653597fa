import { z } from 'zod';
import { limits } from '../limits.ts';
import { approvalTerms, checkTerms } from './approval.ts';
import { artifactSchema } from './artifact.ts';
import { budgetAmountsSchema, goalBudgetSchema } from './budget.ts';
import {
  agentIdSchema,
  errorInfoSchema,
  goalIdSchema,
  jsonObjectSchema,
  jsonSchema,
  timestampSchema,
  usageSchema,
} from './common.ts';
import { planSchema } from './plan.ts';
import { templateNameSchema } from './template.ts';
import { targetUrlSchema } from './webhook.ts';

export const templateCallSchema = z.strictObject({
  name: templateNameSchema,
  params: jsonObjectSchema.optional(),
});

export const documentSchema = z.strictObject({
  kind: z.enum(['rule', 'skill', 'context', 'reference']),
  title: z.string().min(1).max(200),
  text: z.string().max(limits.goalBodyBytes),
});

/** Goals that belong together: what one job, customer or release has started. */
export const cascadeIdSchema = z
  .string()
  .regex(/^[\w.:-]{1,128}$/, 'must have 1 to 128 letters, digits, "_", ".", ":" or "-"');

/** The body of `POST /v1/goals`: exactly one source of the plan, `plan`, `template`, or `objective` alone. */
export const goalSubmissionSchema = z
  .strictObject({
    objective: z.string().min(1).max(10_000).optional(),
    agentId: agentIdSchema.optional(),
    plan: planSchema.optional(),
    template: templateCallSchema.optional(),
    input: jsonObjectSchema.optional(),
    documents: z.array(documentSchema).max(limits.documents).optional(),
    priority: z.int().min(1).max(5).optional(),
    labels: z
      .record(z.string().regex(/^[a-zA-Z0-9_.-]{1,63}$/), z.string().max(255))
      .refine((labels) => Object.keys(labels).length <= limits.labels, `at most ${limits.labels} labels`)
      .optional(),
    budget: goalBudgetSchema.optional(),
    approval: z
      .strictObject({ plan: z.enum(['auto', 'required']).optional(), ...approvalTerms })
      .superRefine(checkTerms)
      .optional(),
    startAt: timestampSchema.optional(),
    delaySeconds: z.number().min(0).max(limits.startDelaySeconds).optional(),
    dependsOnGoalIds: z.array(goalIdSchema).max(limits.goalDependencies).optional(),
    cascadeId: cascadeIdSchema.optional(),
    /** Is sent the goal's last event. Sub-goals do not inherit it. */
    callbackUrl: targetUrlSchema.optional(),
  })
  .refine((goal) => goal.startAt === undefined || goal.delaySeconds === undefined, {
    message: 'give startAt or delaySeconds, not both',
    path: ['delaySeconds'],
  })
  .refine((goal) => !(goal.plan && goal.template), { message: 'give plan or template, not both', path: ['template'] })
  .refine((goal) => Boolean(goal.plan ?? goal.template ?? goal.objective), {
    message: 'give one source of the plan: plan, template or objective',
  });
export type GoalSubmission = z.infer<typeof goalSubmissionSchema>;

export const goalStatusSchema = z.enum([
  'accepted',
  'planning',
  'awaiting_approval',
  'running',
  'paused',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
]);
export type GoalStatus = z.infer<typeof goalStatusSchema>;

export const taskStatusSchema = z.enum([
  'pending',
  'ready',
  'queued',
  'running',
  'awaiting_approval',
  'retrying',
  'parked',
  'completed',
  'failed',
  'cancelled',
  'skipped',
]);
export type TaskStatus = z.infer<typeof taskStatusSchema>;

export const planSourceSchema = z.enum(['explicit', 'template', 'model']);
export type PlanSource = z.infer<typeof planSourceSchema>;

export const progressSchema = z.strictObject({
  total: z.int(),
  completed: z.int(),
  running: z.int(),
  failed: z.int(),
  skipped: z.int(),
  waiting: z.int(),
});

/** Why something does not go on, and until when if that is known. */
export const waitingForSchema = z.strictObject({
  kind: z.enum(['dependency', 'approval', 'retry', 'timer', 'event', 'worker', 'budget', 'dead_letter']),
  detail: z.string(),
  until: timestampSchema.nullable(),
});
export type WaitingFor = z.infer<typeof waitingForSchema>;

/** What never changes after submission. Kept apart so that a commit rewrites only the state. */
export const goalHeadSchema = z.strictObject({
  id: goalIdSchema,
  tenant: z.string(),
  objective: z.string(),
  agentId: z.string().nullable(),
  priority: z.int(),
  labels: z.record(z.string(), z.string()),
  input: jsonObjectSchema,
  template: z.string().nullable(),
  parentGoalId: goalIdSchema.nullable(),
  /** The goal whose finished tasks it began with, and of which event of that. */
  forkedFrom: z.strictObject({ goalId: goalIdSchema, seq: z.int() }).nullable(),
  createdAt: timestampSchema,
  /** The following are there when the submission has them. A delay is shown as the time it leads to. */
  startAt: timestampSchema.optional(),
  dependsOnGoalIds: z.array(goalIdSchema).optional(),
  cascadeId: cascadeIdSchema.optional(),
  callbackUrl: z.string().optional(),
  /** As it was submitted; `GET /v1/budgets/goal:<id>` has what is left of it. */
  budget: budgetAmountsSchema.optional(),
  /** Names of the budgets beside its tenant's that it may count in: of its agent, of its own, of the goals above it. */
  budgetScopes: z.array(z.string()).optional(),
});
export type GoalHead = z.infer<typeof goalHeadSchema>;

/** What the reducer folds out of the events. */
export const goalStateSchema = z.strictObject({
  seq: z.int(),
  /** 1, and one more for each retry. */
  run: z.int(),
  status: goalStatusSchema,
  /** Set while an accepted goal must not begin. */
  waitingFor: waitingForSchema.nullable(),
  plan: z.strictObject({ revision: z.int(), source: planSourceSchema, taskCount: z.int() }).nullable(),
  progress: progressSchema,
  output: jsonSchema,
  /** Set instead of `output` when the output is larger than travels inline. */
  outputArtifact: artifactSchema.nullable(),
  error: errorInfoSchema.nullable(),
  usage: usageSchema,
  startedAt: timestampSchema.nullable(),
  finishedAt: timestampSchema.nullable(),
});
export type GoalState = z.infer<typeof goalStateSchema>;

export const goalLinksSchema = z.strictObject({
  self: z.string(),
  graph: z.string(),
  events: z.string(),
  temporal: z.string(),
});

/** `GET /v1/goals/{id}`. */
export const goalViewSchema = z.strictObject({
  ...goalHeadSchema.shape,
  ...goalStateSchema.shape,
  links: goalLinksSchema,
});
export type GoalView = z.infer<typeof goalViewSchema>;

/** What came of a task of a goal that was cancelled. */
const cancelReceiptSchema = z.enum(['not_started', 'aborted', 'finished_anyway', 'compensated']);

export const taskViewSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  kind: z.enum(['tool', 'map', 'goal', 'approval', 'wait']),
  tool: z.string().nullable(),
  status: taskStatusSchema,
  attempt: z.int(),
  after: z.array(z.string()),
  waitingFor: waitingForSchema.nullable(),
  startedAt: timestampSchema.nullable(),
  finishedAt: timestampSchema.nullable(),
  /** On a completed task exactly one of the two is set; a graph leaves out outputs beyond 2 KiB. */
  output: jsonSchema.optional(),
  artifact: artifactSchema.optional(),
  error: errorInfoSchema.nullable(),
  childGoalId: goalIdSchema.nullable(),
  map: z
    .strictObject({
      total: z.int(),
      completed: z.int(),
      failed: z.int(),
      /** Set once the goal was cancelled and the map's items were compensated. */
      compensated: z.int().optional(),
    })
    .nullable(),
  /** Null unless the goal was cancelled; and on tasks that had ended before, and that nothing compensated. */
  cancelReceipt: cancelReceiptSchema.nullable(),
  /** Why the task could not be compensated; left out otherwise. */
  compensationError: errorInfoSchema.optional(),
});
export type TaskView = z.infer<typeof taskViewSchema>;

/** `GET /v1/goals/{id}/graph`. */
export const graphViewSchema = z.strictObject({
  goalId: goalIdSchema,
  seq: z.int(),
  revision: z.int(),
  tasks: z.array(taskViewSchema),
  edges: z.array(z.strictObject({ from: z.string(), to: z.string() })),
  criticalPath: z.array(z.string()),
});
export type GraphView = z.infer<typeof graphViewSchema>;
