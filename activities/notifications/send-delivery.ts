import { Webhook } from 'standardwebhooks';
import { Agent } from 'undici';
import { AstraError } from '../../domain/errors.ts';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import { callbackId } from '../../domain/schemas/webhook.ts';
import type { AttemptResult, ClaimedDelivery } from '../../stores/postgres/delivery-queue.ts';
import { secretNames, type SigningSecrets } from '../../stores/postgres/signing-secrets.ts';
import type { EgressPolicy } from '../tools/egress-policy.ts';
import { requestFailure } from '../tools/request-failure.ts';

/** `retry`: it may succeed later. `refused`: it never will. `gone`: the webhook's receiver wants no more (410). */
export type Attempt = AttemptResult & { readonly outcome: 'delivered' | 'retry' | 'refused' | 'gone' };

/** Attempts a delivery once. Never rejects. Aborted by the signal it is `retry`. */
export type SendDelivery = (delivery: ClaimedDelivery, signal: AbortSignal) => Promise<Attempt>;

interface Deps {
  readonly egress: EgressPolicy;
  readonly secrets: Pick<SigningSecrets, 'read' | 'ensure'>;
  /** For an attempt, its answer included. */
  readonly timeoutMs?: number;
}

/** Of an answer nothing counts but its status; so much is read, so that the connection can be used again. */
const readBytes = 16 * 1024;

/** Sends as the Standard Webhooks specification (standardwebhooks.com) has it; follows no redirect. */
export function createSendDelivery({ egress, secrets, timeoutMs = 15_000 }: Deps): SendDelivery {
  const dispatcher = new Agent({
    connect: { lookup: egress.lookup, timeout: timeoutMs },
    headersTimeout: 0,
    bodyTimeout: 0,
  });

  async function secretsOf({ tenant, webhookId }: ClaimedDelivery): Promise<readonly string[]> {
    const name = secretNames.webhook(webhookId);
    const known = await secrets.read(tenant, name);
    // Nobody has asked for the tenant's callback secret yet.
    return known.length === 0 && webhookId === callbackId ? [await secrets.ensure(tenant, name)] : known;
  }

  async function post(
    { url, body, headers }: { readonly url: URL; readonly body: string; readonly headers: Record<string, string> },
    signal: AbortSignal,
  ): Promise<number> {
    egress.checkUrl(url);
    const response = await dispatcher.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: 'POST',
      headers,
      body,
      signal,
    });
    // A body that breaks off reports it as an error; unheard, that would end the process.
    response.body.on('error', () => undefined);
    await response.body.dump({ limit: readBytes, signal }).catch(() => undefined);
    return response.statusCode;
  }

  return async (delivery, signal) => {
    const { url, event } = delivery;
    if (url === null) return refused('the webhook is deleted or disabled');
    if (event === null) return refused('the goal was deleted');
    const timeout = AbortSignal.timeout(timeoutMs);
    try {
      const keys = await secretsOf(delivery);
      if (keys.length === 0) return refused('the webhook is deleted');
      const body = messageOf(event);
      const headers = signed(delivery.id, body, { keys, at: new Date() });
      const status = await post({ url: new URL(url), body, headers }, AbortSignal.any([signal, timeout]));
      return toAttempt(status, delivery);
    } catch (error) {
      const reason = requestFailure(error);
      if (reason instanceof AstraError) {
        // What the policy denies today it denies tomorrow; a missing key or Postgres may be back.
        const outcome = reason.code === 'ASTRA_EGRESS_DENIED' ? 'refused' : 'retry';
        return { outcome, responseStatus: null, error: `${reason.code}: ${reason.message}` };
      }
      const text = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : reason;
      return { outcome: 'retry', responseStatus: null, error: text };
    }
  };
}

/** The same at each attempt. */
const messageOf = (event: GoalEvent): string => JSON.stringify({ type: event.type, timestamp: event.at, data: event });

function signed(
  id: string,
  body: string,
  { keys, at }: { readonly keys: readonly string[]; readonly at: Date },
): Record<string, string> {
  return {
    'content-type': 'application/json',
    'user-agent': 'astra',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    // While one secret replaces another there is one for each: a receiver needs one that it can verify.
    'webhook-signature': keys.map((key) => new Webhook(key).sign(id, at, body)).join(' '),
  };
}

const refused = (error: string): Attempt => ({ outcome: 'refused', responseStatus: null, error });

function toAttempt(responseStatus: number, { webhookId }: ClaimedDelivery): Attempt {
  if (responseStatus >= 200 && responseStatus < 300) return { outcome: 'delivered', responseStatus, error: null };
  const redirects = responseStatus >= 300 && responseStatus < 400 ? '; redirects are not followed' : '';
  const error = `the receiver answered ${responseStatus}${redirects}`;
  if (responseStatus !== 410) return { outcome: 'retry', responseStatus, error };
  return { outcome: webhookId === callbackId ? 'refused' : 'gone', responseStatus, error };
}
