import { z } from 'zod';
import { limits } from '../limits.ts';
import { approvalTerms, checkTerms } from './approval.ts';
import { timestampSchema } from './common.ts';
import { toolManifestSchema } from './tool.ts';

const ruleSchema = z
  .strictObject({
    /** A tool's name, in which `*` stands for any characters. */
    tool: z.string().min(1).max(128),
    /** Only in goals of this agent. */
    agentId: z.string().min(1).max(128).optional(),
    risk: toolManifestSchema.shape.risk.optional(),
    decision: z.enum(['allow', 'ask', 'deny']),
    ...approvalTerms,
  })
  .superRefine(checkTerms)
  .superRefine((rule, issues) => {
    if (rule.decision === 'ask') return;
    for (const name of Object.keys(approvalTerms).filter((term) => term in rule)) {
      issues.addIssue({ code: 'custom', path: [name], message: 'goes with the decision "ask"' });
    }
  });
/** What calls of some tools need before they run. */
export type PolicyRule = z.infer<typeof ruleSchema>;

/** The body of `PUT /v1/approval-policies`. The first rule that matches counts. */
export const policySchema = z.strictObject({ rules: z.array(ruleSchema).max(limits.policyRules) });
export type Policy = z.infer<typeof policySchema>;

export const policyViewSchema = policySchema.extend({
  /** Null: no policy was ever set. */
  updatedAt: timestampSchema.nullable(),
  updatedBy: z.string().nullable(),
});
export type PolicyView = z.infer<typeof policyViewSchema>;
