import { z } from 'zod';
import { budgetAmountsSchema } from './budget.ts';
import { jsonObjectSchema } from './common.ts';

export const workerClassSchema = z.enum(['tools', 'sandbox']);
export type WorkerClass = z.infer<typeof workerClassSchema>;

/** What a call may cost, for what its result then says: the time is that of its task's time-out unless it is said. */
export const toolEstimateSchema = budgetAmountsSchema.omit({ tasks: true });
export type ToolEstimate = z.infer<typeof toolEstimateSchema>;

export const toolManifestSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/, 'must look like namespace.verb'),
  description: z.string().min(1).max(2_000),
  inputSchema: jsonObjectSchema,
  outputSchema: jsonObjectSchema,
  /** Worker class that runs it. */
  workerClass: workerClassSchema,
  /** `inline`: pure and quick, runs in segments on the thread pool; `activity`: an activity of its own. */
  execution: z.enum(['inline', 'activity']),
  /** What a second execution does: nothing outside, the same thing again, or something that must not happen twice. */
  effect: z.enum(['none', 'idempotent', 'once']),
  risk: z.enum(['low', 'high']),
  timeoutSeconds: z.number().positive(),
  /** Answers are kept this long and reused for the same tenant, tool and input; 0: never. */
  cacheSeconds: z.int().min(0),
  /** It can take back what it did: a goal that is cancelled with `compensate` has it do so. Left out otherwise. */
  compensable: z.literal(true).optional(),
  /** Reserved in the budgets of a goal before each call. Without it a call is taken to cost its time alone. */
  estimate: toolEstimateSchema.optional(),
});
/** What the engine knows of a tool without running it. */
export type ToolManifest = z.infer<typeof toolManifestSchema>;
