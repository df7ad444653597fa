import { z } from 'zod';

export const artifactSchema = z.strictObject({
  id: z.string().regex(/^art_[0-9A-Za-z]{16,64}$/),
  name: z.string().min(1).max(255),
  mediaType: z.string().min(1).max(255),
  sizeBytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
/** A reference to immutable bytes in object storage. */
export type Artifact = z.infer<typeof artifactSchema>;
