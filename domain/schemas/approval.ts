import { z } from 'zod';
import { goalIdSchema, jsonObjectSchema, timestampSchema } from './common.ts';

export const voteSchema = z.strictObject({
  subject: z.string(),
  decision: z.enum(['approved', 'rejected']),
  comment: z.string().nullable(),
  at: timestampSchema,
});

export const approvalSchema = z.strictObject({
  /** `apr_<goal>.<task>`; `apr_<goal>` for the goal's plan. Says where to send the decision without a look-up. */
  id: z.string(),
  kind: z.enum(['plan', 'task', 'budget']),
  goalId: goalIdSchema,
  taskId: z.string().nullable(),
  prompt: z.string(),
  input: jsonObjectSchema.nullable(),
  status: z.enum(['pending', 'approved', 'rejected', 'expired', 'cancelled']),
  required: z.int(),
  votes: z.array(voteSchema),
  requestedAt: timestampSchema,
  expiresAt: timestampSchema.nullable(),
});
/** A question to people. */
export type Approval = z.infer<typeof approvalSchema>;

export const decisionSchema = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  comment: z.string().max(10_000).optional(),
  /** Replaces the approval's input; it is the output of the task. */
  editedInput: jsonObjectSchema.optional(),
});
export type Decision = z.infer<typeof decisionSchema>;
