import { z } from 'zod';
import { limits } from '../limits.ts';
import { errorInfoSchema, goalIdSchema, timestampSchema } from './common.ts';

export const parkReasonSchema = z.enum(['budget', 'failed', 'paused', 'outage']);

/** An item of `GET /v1/tasks?status=parked`. */
export const parkedTaskSchema = z.strictObject({
  goalId: goalIdSchema,
  /** `each.3` is item 3 of the map `each`. */
  taskId: z.string(),
  tool: z.string(),
  title: z.string(),
  reason: parkReasonSchema,
  /** Of a failure, the error's code; of a budget, which one and how it stands. */
  detail: z.string(),
  /** Of the last attempt that failed. */
  error: errorInfoSchema.nullable(),
  attempt: z.int(),
  parkedAt: timestampSchema,
});
export type ParkedTaskView = z.infer<typeof parkedTaskSchema>;

/** Of the tasks that are parked for a failure those that all of this is true of. */
export const parkedSelectionSchema = z.strictObject({
  goalIds: z.array(goalIdSchema).min(1).max(limits.parkedTasks).optional(),
  /** The error's. */
  code: z.string().min(1).max(100).optional(),
  /** They have been parked for at least so long. */
  olderThanSeconds: z.number().min(0).max(31_536_000).optional(),
});
export type ParkedSelection = z.infer<typeof parkedSelectionSchema>;

export const toldTasksSchema = z.strictObject({
  matched: z.int(),
  tasks: z.array(z.strictObject({ goalId: goalIdSchema, taskId: z.string() })),
  /** There are more than one call takes. */
  more: z.literal(true).optional(),
});
export type ToldTasks = z.infer<typeof toldTasksSchema>;
