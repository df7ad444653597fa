import { z } from 'zod';
import { limits } from '../limits.ts';
import { artifactSchema } from './artifact.ts';
import { errorInfoSchema, goalIdSchema, jsonObjectSchema, timestampSchema } from './common.ts';

export const subjectSchema = z.string().min(1).max(255);

export const decidersSchema = z
  .strictObject({
    subjects: z.array(subjectSchema).min(1).max(limits.deciders).optional(),
    /** Names in a token's `scope` claim, also such as mean nothing to Astra. */
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, 'must be a name as in a token’s `scope` claim'))
      .min(1)
      .max(limits.deciders)
      .optional(),
  })
  .refine(({ subjects, scopes }) => Boolean(subjects ?? scopes), 'names neither subjects nor scopes');
/** Whose votes count: these subjects', and those of tokens with one of the scopes. */
export type Deciders = z.infer<typeof decidersSchema>;

/** How people are asked, wherever they are: fields of a schema, with `checkTerms` for what they say together. */
export const approvalTerms = {
  required: z.int().min(1).max(20).optional(),
  deciders: decidersSchema.optional(),
  expiresSeconds: z.number().min(1).max(31_536_000).optional(),
  onExpiry: z.enum(['approve', 'reject']).optional(),
};
export type ApprovalTerms = { readonly [Name in keyof typeof approvalTerms]?: z.infer<(typeof approvalTerms)[Name]> };

export function checkTerms({ required = 1, deciders, expiresSeconds, onExpiry }: ApprovalTerms, issues: Issues): void {
  if (onExpiry !== undefined && expiresSeconds === undefined)
    issues.addIssue({ code: 'custom', path: ['onExpiry'], message: 'says what comes after expiresSeconds: give both' });
  const named = new Set(deciders?.subjects).size;
  if (deciders?.subjects && !deciders.scopes && required > named)
    issues.addIssue({
      code: 'custom',
      path: ['required'],
      message: `${required} approvals are needed, and ${named} may decide`,
    });
}
type Issues = Pick<z.core.$RefinementCtx, 'addIssue'>;

const voteSchema = z.strictObject({
  subject: z.string(),
  decision: z.enum(['approved', 'rejected']),
  comment: z.string().nullable(),
  at: timestampSchema,
});

const delegationSchema = z.strictObject({
  from: z.string(),
  to: z.string(),
  comment: z.string().nullable(),
  at: timestampSchema,
});
export type Delegation = z.infer<typeof delegationSchema>;

export const approvalSchema = z.strictObject({
  /** `apr_<goal>.<task>`; `apr_<goal>` for the goal's plan, `apr_<goal>.0…` for a change of it. Says where to send the decision without a look-up. */
  id: z.string(),
  kind: z.enum(['plan', 'task', 'risky_task', 'budget']),
  goalId: goalIdSchema,
  taskId: z.string().nullable(),
  /** For which agent the goal runs. */
  agentId: z.string().nullable(),
  /** What a risky task would call, with `input`. */
  tool: z.string().nullable(),
  prompt: z.string(),
  input: jsonObjectSchema.nullable(),
  /** Instead of `input` when it is larger than travels inline. */
  inputArtifact: artifactSchema.nullable(),
  /** Of a map: how many calls are asked about at once, and the inputs of the first few. */
  map: z.strictObject({ items: z.int(), sample: z.array(jsonObjectSchema) }).nullable(),
  /** Of a change of a running goal's plan: to which revision, and which it has become, or why it was not made. */
  change: z
    .strictObject({
      id: z.string(),
      baseRevision: z.int(),
      revision: z.int().nullable(),
      error: errorInfoSchema.nullable(),
    })
    .nullable(),
  status: z.enum(['pending', 'approved', 'rejected', 'expired', 'cancelled']),
  required: z.int(),
  /** Null: whoever may decide approvals at all. */
  deciders: decidersSchema.nullable(),
  votes: z.array(voteSchema),
  delegations: z.array(delegationSchema),
  /** Of the input that was approved, as canonical JSON, where it is not the one asked about. */
  editedInputSha256: z.string().nullable(),
  requestedAt: timestampSchema,
  expiresAt: timestampSchema.nullable(),
  onExpiry: z.enum(['approve', 'reject']),
});
/** A question to people, as it is recorded. */
export type Approval = z.infer<typeof approvalSchema>;

/** `GET /v1/approvals/{id}`: with the edited input, which is kept beside the record. */
export const approvalViewSchema = approvalSchema.extend({ editedInput: jsonObjectSchema.nullable() });
export type ApprovalView = z.infer<typeof approvalViewSchema>;

const commentSchema = z.string().max(10_000).optional();

export const decisionSchema = z.strictObject({
  decision: z.enum(['approved', 'rejected']),
  comment: commentSchema,
  /** Replaces the input asked about. An approval task ends with it as its output, a risky task's tool is called with it. */
  editedInput: jsonObjectSchema.optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

export const delegationRequestSchema = z.strictObject({ to: subjectSchema, comment: commentSchema });
export type DelegationRequest = z.infer<typeof delegationRequestSchema>;
