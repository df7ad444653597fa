import { z } from 'zod';
import { typesOfGlob } from '../event-globs.ts';
import { goalIdSchema, timestampSchema } from './common.ts';
import { eventTypes } from './event.ts';

/** Where Astra may be told to send something. Which addresses it reaches is the egress policy's to say when it sends. */
export const targetUrlSchema = z
  .url({ protocol: /^https?$/, normalize: true, error: 'must be an absolute http or https URL' })
  .max(2_048)
  .regex(/^(?!\w+:\/\/[^/?#]*@)/, 'must not hold a user name or password');

const globSchema = z
  .string()
  .max(64)
  .refine(
    (glob) => typesOfGlob(glob).length > 0,
    'names no type of event; write for example "goal.*" or "task.failed"',
  );

/** The body of `POST /v1/webhooks`. */
export const webhookDefinitionSchema = z.strictObject({
  url: targetUrlSchema,
  events: z.array(globSchema).min(1).max(50),
});
export type WebhookDefinition = z.infer<typeof webhookDefinitionSchema>;

export const webhookIdSchema = z.string().regex(/^whk_[0-9A-Za-z]{22}$/, 'must look like whk_…');

export const webhookSchema = z.strictObject({
  id: webhookIdSchema,
  ...webhookDefinitionSchema.shape,
  /** Disabled by an answer 410 of its receiver, at `disabledAt`. */
  status: z.enum(['enabled', 'disabled']),
  createdAt: timestampSchema,
  disabledAt: timestampSchema.nullable(),
});
export type Webhook = z.infer<typeof webhookSchema>;

/** Of a new webhook, and of a new secret: shown this once. */
export const webhookSecretSchema = z.strictObject({ secret: z.string() });
export const newWebhookSchema = webhookSchema.extend(webhookSecretSchema.shape);

/** Stands for a webhook's id where the deliveries are those to the `callbackUrl`s of goals. */
export const callbackId = 'callback';

/** One event on its way to one receiver. Its id is the message's `webhook-id`. */
export const deliverySchema = z.strictObject({
  id: z.string().regex(/^dlv_[0-9A-Za-z]{22}$/, 'must look like dlv_…'),
  webhookId: z.union([webhookIdSchema, z.literal(callbackId)]),
  goalId: goalIdSchema,
  seq: z.int(),
  type: z.enum(eventTypes),
  status: z.enum(['pending', 'delivered', 'failed']),
  /** Since it was made, or last replayed. */
  attempts: z.int(),
  createdAt: timestampSchema,
  lastAttemptAt: timestampSchema.nullable(),
  /** HTTP status of the last answer; null when there was none. */
  lastResponseStatus: z.int().nullable(),
  /** Why the last attempt did not succeed. */
  lastError: z.string().nullable(),
  nextAttemptAt: timestampSchema.nullable(),
});
export type WebhookDelivery = z.infer<typeof deliverySchema>;
