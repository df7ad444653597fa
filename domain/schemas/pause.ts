import { z } from 'zod';
import { timestampSchema } from './common.ts';

/** When a goal pauses by itself. */
export const pauseOnSchema = z.strictObject({
  /** More than this share of the tasks and map items ended so far have failed, once at least so many have ended. */
  failureRate: z.strictObject({ over: z.number().min(0).lt(1), atLeast: z.int().min(1).max(100_000) }).optional(),
  /** The last five attempts at one tool failed in a row, as they do when what it calls is away. */
  outage: z.boolean().optional(),
  /** A task would wait for a budget. */
  budget: z.boolean().optional(),
});
export type PauseOn = z.infer<typeof pauseOnSchema>;

/** What becomes of running tool calls: they end, or they are stopped and begin again at the resume. */
export const runningModeSchema = z.enum(['finish', 'hold']);

/** Why a paused goal is, and how. */
export const pauseSchema = z.strictObject({
  by: z.enum(['request', 'policy', 'parent']),
  running: runningModeSchema,
  /** Is the time that it takes added to deadlines? */
  shiftDeadlines: z.boolean(),
  reason: z.string().nullable(),
  since: timestampSchema,
});
export type GoalPause = z.infer<typeof pauseSchema>;
