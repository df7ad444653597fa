import { z } from 'zod';
import { limits } from '../limits.ts';
import { approvalTerms, checkTerms } from './approval.ts';
import { jsonObjectSchema, taskIdSchema } from './common.ts';
import { planSchema, taskSchema } from './plan.ts';

const tasks = z.array(taskSchema).max(limits.planTasks);

const difference = {
  add: tasks.optional(),
  remove: z.array(taskIdSchema).max(limits.planTasks).optional(),
  replace: tasks.optional(),
  plan: planSchema.optional(),
  reason: z.string().max(2_000).optional(),
};
type Difference = { readonly [Name in 'add' | 'remove' | 'replace' | 'plan']?: unknown };
const saysOneThing = ({ plan, add, remove, replace }: Difference): boolean =>
  (plan === undefined) !== ((add ?? remove ?? replace) === undefined);
const oneThing = { message: 'give a plan, or what is added, removed and replaced' };

/** What a planner answers: a typed difference to the plan that it was shown, or a whole plan. */
export const plannedChangeSchema = z.strictObject(difference).refine(saysOneThing, oneThing);
export type PlannedChange = z.infer<typeof plannedChangeSchema>;

/** A typed difference to a revision, or a whole plan. */
export type PlanChange = PlannedChange & { readonly baseRevision: number };

/** The body of `PATCH /v1/goals/{id}/plan`: a change, and whether people are asked before it is made. */
export const planAmendmentSchema = z
  .strictObject({
    baseRevision: z.int().min(1),
    ...difference,
    approval: z.strictObject(approvalTerms).superRefine(checkTerms).optional(),
  })
  .refine(saysOneThing, oneThing);
export type PlanAmendment = z.infer<typeof planAmendmentSchema>;

/** Of a sub-goal's task, `child/inner` chooses a task of the child. */
const chosenTaskSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}(\/[A-Za-z][A-Za-z0-9_-]{0,63}){0,8}$/);

/** The body of `POST /v1/goals/{id}/retry`. */
export const goalRetrySchema = z.strictObject({
  tasks: z.union([z.literal('failed'), z.array(chosenTaskSchema).min(1).max(limits.planTasks).readonly()]),
  inputs: z.record(taskIdSchema, jsonObjectSchema).optional(),
});
export type GoalRetry = z.infer<typeof goalRetrySchema>;

/** The body of `POST /v1/goals/{id}/fork`: what failed is run again unless it says otherwise. */
export const goalForkSchema = z.strictObject({
  tasks: goalRetrySchema.shape.tasks.optional(),
  inputs: goalRetrySchema.shape.inputs,
  plan: planSchema.optional(),
});
export type GoalFork = z.infer<typeof goalForkSchema>;
