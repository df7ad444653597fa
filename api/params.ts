import { z } from 'zod';
import { artifactSchema } from '../domain/schemas/artifact.ts';
import { goalIdSchema } from '../domain/schemas/common.ts';
import { scheduleNameSchema } from '../domain/schemas/schedule.ts';
import { inboundWebhookSchema } from '../domain/schemas/inbound-webhook.ts';
import { limitNameSchema } from '../domain/schemas/limit.ts';
import { templateNameSchema } from '../domain/schemas/template.ts';
import { callbackId, deliverySchema, webhookIdSchema } from '../domain/schemas/webhook.ts';
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
export const deletionParams = z.object({
  deletionId: z.string().regex(/^del_[0-9a-f]{32}$/, 'must look like del_… (32 hexadecimal digits)'),
});
export const templateParams = z.object({ name: templateNameSchema });
export const scheduleParams = z.object({ name: scheduleNameSchema });
export const limitParams = z.object({ name: limitNameSchema });
export const toolParams = z.object({ name: z.string().min(1).max(128) });
export const webhookParams = z.object({ webhookId: webhookIdSchema });
/** `callback`: what is sent to the `callbackUrl`s of goals. */
export const senderParams = z.object({ webhookId: z.union([webhookIdSchema, z.literal(callbackId)]) });
export const deliveryParams = senderParams.extend({ deliveryId: deliverySchema.shape.id });
export const hookParams = z.object({ hookId: inboundWebhookSchema.shape.id });

export const idempotencyHeader = 'idempotency-key';
export const idempotencyKeySchema = z.string().min(1).max(255);
/** A repeated request with the same key is answered as the first one was, and does nothing again. */
export const idempotencyHeaders = z.object({ [idempotencyHeader]: idempotencyKeySchema.optional() });

/** For calls that take none: a parameter nobody knows is a mistake somebody should hear of. */
export const noQuery = z.strictObject({});

/** With `dryRun=true` a call says what it would do, and does nothing. */
export const dryRunQuery = z.strictObject({ dryRun: z.enum(['true', 'false']).optional() });

/** How lists are asked for. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(limits.listPage).default(50),
  cursor: z.string().max(500).optional(),
};

/** Query parameters that may be repeated arrive as a text or a list. */
export const repeatable = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());
