import { AstraError } from '../../domain/errors.ts';
import { evaluateMap } from '../../domain/expressions.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import type { InboundWebhookStore } from '../../stores/postgres/inbound-webhooks.ts';
import { createGoalId } from '../goals/goal-id.ts';
import type { SubmitGoal, SubmittedGoal } from '../goals/submit-goal.ts';
import { verifySignature, type SignedMessage } from './verify-signature.ts';

/** What `params` may read of a message's headers. Most senders sign none of them. */
const shownHeaders = [
  'content-type',
  'user-agent',
  'webhook-id',
  'webhook-timestamp',
  'x-github-delivery',
  'x-github-event',
  'x-github-hook-id',
];

export interface HookDeps {
  readonly inboundWebhooks: Pick<InboundWebhookStore, 'open'>;
  readonly submitGoal: SubmitGoal;
  /** @throws ASTRA_RATE_LIMITED */
  readonly requireQuota: (tenant: string) => Promise<void>;
}

/**
 * Starts the goal that a message to an inbound webhook asks for. A repetition of the message gives the goal that the first
 * one started.
 * @throws ASTRA_NOT_FOUND; ASTRA_SIGNATURE_INVALID, whatever is wrong with the signature; to a message that is signed:
 * ASTRA_BODY_INVALID, ASTRA_EXPRESSION_FAILED, ASTRA_RATE_LIMITED and what a submission throws
 */
export async function startGoalByHook(
  { inboundWebhooks, submitGoal, requireQuota }: HookDeps,
  hookId: string,
  { message }: { readonly message: SignedMessage },
): Promise<SubmittedGoal> {
  const opened = await inboundWebhooks.open(hookId);
  if (!opened) throw new AstraError('ASTRA_NOT_FOUND', `There is nothing at /hooks/${hookId}.`);
  const { tenant, webhook, secret } = opened;
  const known = verifySignature(message, { scheme: webhook.signature.scheme, secret });
  if (known === null) throw signatureInvalid();
  // Only now: who cannot sign must not be able to use up the tenant's quota.
  await requireQuota(tenant);

  const scope = { payload: parsePayload(message.body), headers: headersOf(message) };
  const template = { name: webhook.template, params: evaluateMap(webhook.params, scope) };
  const idempotencyKey = `hook/${hookId}/${known}`;
  try {
    return await submitGoal(tenant, { template }, { idempotencyKey });
  } catch (error) {
    // The webhook was changed between the message and its repetition.
    if (!(error instanceof AstraError) || error.code !== 'ASTRA_IDEMPOTENCY_CONFLICT') throw error;
    return { goalId: createGoalId(tenant, idempotencyKey), started: null };
  }
}

const signatureInvalid = (): AstraError =>
  new AstraError(
    'ASTRA_SIGNATURE_INVALID',
    'The message is refused: its signature is missing, wrong or too old. Check the secret and the clock of the sender.',
  );

function parsePayload(body: Buffer): Json {
  try {
    // What JSON.parse gives is JSON.
    return JSON.parse(body.toString('utf8')) as Json;
  } catch (cause) {
    throw new AstraError('ASTRA_BODY_INVALID', 'The payload is not JSON. Have the sender send application/json.', {
      faults: [{ pointer: '', message: 'is not JSON' }],
      cause,
    });
  }
}

const headersOf = ({ header }: SignedMessage): JsonObject =>
  Object.fromEntries(
    shownHeaders.flatMap((name) => {
      const value = header(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
