import { z } from 'zod';
import { artifactSchema } from './artifact.ts';
import { goalIdSchema, timestampSchema } from './common.ts';

/** A century: what is kept longer is kept for ever. */
const maxDays = 36_500;

const retentionRuleSchema = z.strictObject({
  /** How long a goal is kept after its end; 0: it goes with the next sweep. */
  days: z.int().min(0).max(maxDays),
  /** Is it archived before it is deleted? */
  archive: z.boolean(),
});

/** `PUT /v1/retention`: by how goals ended. Goals of a status that is not named are kept. */
export const retentionSchema = z.strictObject({
  completed: retentionRuleSchema.optional(),
  failed: retentionRuleSchema.optional(),
  cancelled: retentionRuleSchema.optional(),
});
export type Retention = z.infer<typeof retentionSchema>;

export const deletionKindSchema = z.enum(['goal', 'tenant', 'subject', 'retention']);
export type DeletionKind = z.infer<typeof deletionKindSchema>;

/** How many of what are gone so far. */
export const removedSchema = z.strictObject({
  goals: z.int(),
  rows: z.int(),
  objects: z.int(),
  executions: z.int(),
  /** Votes on other subjects' goals that name nobody any more. */
  votes: z.int(),
});
export type Removed = z.infer<typeof removedSchema>;

/** `GET /v1/deletions/{id}`: a deletion under way, and afterwards its audit. It names nobody. */
export const deletionSchema = z.strictObject({
  id: z.string(),
  kind: deletionKindSchema,
  status: z.enum(['running', 'completed']),
  requestedAt: timestampSchema,
  finishedAt: timestampSchema.nullable(),
  removed: removedSchema,
});
export type Deletion = z.infer<typeof deletionSchema>;

export const tenantDeletionSchema = z.strictObject({ confirm: z.string() });
export const subjectForgettingSchema = z.strictObject({ subject: z.string().min(1).max(1_000) });

/** A goal that is in the archive and no longer in the record. */
export const archivedGoalSchema = z.strictObject({
  goalId: goalIdSchema,
  parentGoalId: goalIdSchema.nullable(),
  status: z.enum(['completed', 'failed', 'cancelled']),
  createdAt: timestampSchema,
  finishedAt: timestampSchema,
  archivedAt: timestampSchema,
  sizeBytes: z.int(),
  artifacts: z.array(artifactSchema),
});
export type ArchivedGoal = z.infer<typeof archivedGoalSchema>;

/** `GET /v1/archive/{goalId}`: with addresses that work for five minutes, without a token. */
export const archiveDownloadSchema = archivedGoalSchema.extend({
  url: z.string(),
  artifacts: z.array(artifactSchema.extend({ url: z.string() })),
});
export type ArchiveDownload = z.infer<typeof archiveDownloadSchema>;
