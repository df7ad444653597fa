import { z } from 'zod';
import { jsonObjectSchema } from './common.ts';
import { planSchema } from './plan.ts';

export const templateNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a lower-case name of at most 63 characters');

export const templateSchema = z.strictObject({
  name: templateNameSchema,
  description: z.string().max(2_000),
  /** JSON Schema of the parameters; `default`s are filled in. */
  params: jsonObjectSchema,
  /** Default objective; `{{ params.x }}` is interpolated. */
  objective: z.string().min(1).max(10_000),
  plan: planSchema,
  /** What goals that replan fall back on when a task has failed. */
  fallbackPlan: planSchema.optional(),
});
/** A named, parameterised plan ("goal type"). Its plan's expressions may use `params`. */
export type Template = z.infer<typeof templateSchema>;
