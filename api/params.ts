import { z } from 'zod';
import { artifactSchema } from '../domain/schemas/artifact.ts';
import { goalIdSchema } from '../domain/schemas/common.ts';
import { limitNameSchema } from '../domain/schemas/limit.ts';
import { templateNameSchema } from '../domain/schemas/template.ts';
import { limits } from '../domain/limits.ts';

export const goalParams = z.object({ goalId: goalIdSchema });
export const taskParams = goalParams.extend({
  taskId: z
    .string()
    .regex(
      /^[A-Za-z][A-Za-z0-9_-]{0,63}(\.\d{1,7})?$/,
      'must be a task’s id, or `each.3` for item 3 of the map `each`',
    ),
});
export const approvalParams = z.object({ approvalId: z.string().regex(/^apr_[\w.-]{1,200}$/, 'must look like apr_…') });
export const artifactParams = z.object({ artifactId: artifactSchema.shape.id });
export const templateParams = z.object({ name: templateNameSchema });
export const limitParams = z.object({ name: limitNameSchema });
export const toolParams = z.object({ name: z.string().min(1).max(128) });

/** For calls that take none: a parameter nobody knows is a mistake somebody should hear of. */
export const noQuery = z.strictObject({});

/** How lists are asked for. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(limits.listPage).default(50),
  cursor: z.string().max(500).optional(),
};

/** Query parameters that may be repeated arrive as a text or a list. */
export const repeatable = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());
