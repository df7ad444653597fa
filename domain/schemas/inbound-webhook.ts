import { z } from 'zod';
import { limits } from '../limits.ts';
import { timestampSchema } from './common.ts';
import { templateNameSchema } from './template.ts';

const schemeSchema = z.enum(['standard', 'github', 'stripe']);
/** How the messages of an inbound webhook are signed. */
export type SignatureScheme = z.infer<typeof schemeSchema>;

/** The key's bytes in base64, as the Standard Webhooks specification has it: 24 to 64 of them. */
const standardSecret =
  /^(?:whsec_)?(?=[^=]{32,86}={0,2}$)(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Postgres has no text with a NUL in it. */
const storable = z
  .string()
  .min(1)
  .regex(/^[^\0]*$/, 'must not hold a NUL character');

const signatureSchema = z
  .strictObject({ scheme: schemeSchema, secret: z.string().min(8).max(512) })
  .refine(({ scheme, secret }) => scheme !== 'standard' || standardSecret.test(secret), {
    message: 'must be whsec_ and the base64 of 24 to 64 bytes',
    path: ['secret'],
  });

/** The body of `POST /v1/inbound-webhooks` and of a `PUT` on one. */
export const inboundWebhookDefinitionSchema = z.strictObject({
  name: storable.max(200),
  template: templateNameSchema,
  /** CEL over `payload` and `headers` that gives the template's parameters. */
  params: storable.max(limits.expressionChars),
  signature: signatureSchema,
});
export type InboundWebhookDefinition = z.infer<typeof inboundWebhookDefinitionSchema>;

export const inboundWebhookSchema = z.strictObject({
  ...inboundWebhookDefinitionSchema.shape,
  id: z.string().regex(/^inb_[0-9A-Za-z]{22}$/, 'must look like inb_…'),
  signature: z.strictObject({ scheme: schemeSchema }),
  /** Where its messages are sent to. */
  url: z.string(),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
});
export type InboundWebhook = z.infer<typeof inboundWebhookSchema>;

/** What a message is answered with. */
export const inboundReceiptSchema = z.strictObject({ goalId: z.string() });
