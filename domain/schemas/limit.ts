import { z } from 'zod';
import { limits } from '../limits.ts';
import { timestampSchema } from './common.ts';

export const limitNameSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a lower-case name of at most 63 characters');

const definition = z.strictObject({
  /** What is counted: goals as they begin (unless given), or calls of tools. */
  of: z.enum(['goal', 'task']).optional(),
  /** CEL: its value names the bucket that is counted; null: the limit does not apply. */
  key: z.string().min(1).max(limits.expressionChars),
  /** At once. */
  concurrency: z.int().min(1).max(1_000_000).optional(),
  /** That begin: `limit` at once, then one each `perSeconds / limit` seconds. */
  rate: z
    .strictObject({ limit: z.int().min(1).max(1_000_000), perSeconds: z.number().min(0.1).max(31_536_000) })
    .optional(),
  strategy: z.enum(['queue', 'reject', 'cancel_oldest']),
});

/** The body of `PUT /v1/limits/{name}`. */
export const limitDefinitionSchema = definition
  .refine(({ concurrency, rate }) => concurrency !== undefined || rate !== undefined, {
    message: 'give concurrency, rate or both',
  })
  .refine(({ strategy, rate }) => strategy !== 'cancel_oldest' || rate === undefined, {
    message: 'cancelling makes room for concurrency only: leave rate out, or queue',
    path: ['strategy'],
  })
  .refine((limit) => limit.of !== 'task' || limit.strategy !== 'cancel_oldest', {
    message: 'goals alone can be cancelled for one another: queue or reject',
    path: ['strategy'],
  });
/** How much of what has the same key may go on at once, and begin in a time. */
export type LimitDefinition = z.infer<typeof definition>;

export const limitSchema = definition.extend({
  name: limitNameSchema,
  /** Goals, or calls, that go on under it now. */
  holding: z.int(),
  waiting: z.int(),
  updatedAt: timestampSchema,
});
/** `GET /v1/limits/{name}`. */
export type LimitView = z.infer<typeof limitSchema>;
