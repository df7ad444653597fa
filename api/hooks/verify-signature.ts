import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import type { SignatureScheme } from '../../domain/schemas/inbound-webhook.ts';

/** A message as it came in. The signature is over the bytes, before anything is made of them. */
export interface SignedMessage {
  /** A header by its name in lower case; undefined when the message has none. */
  readonly header: (name: string) => string | undefined;
  readonly body: Buffer;
}

const toleranceSeconds = 5 * 60;

/** @returns what the message has in common with its repetitions alone, under the signature; null: it is not signed so */
type Verify = (message: SignedMessage, secret: string) => string | null;

/** By digest: what headers say beside the signature is not signed, and may be another one at each repetition. */
const digestOf = (body: Buffer): string => hash('sha256', body, 'hex');

const verifiers: Readonly<Record<SignatureScheme, Verify>> = {
  /** standardwebhooks.com */
  standard({ header, body }, secret) {
    const names = ['webhook-id', 'webhook-timestamp', 'webhook-signature'];
    const headers = Object.fromEntries(names.map((name) => [name, header(name) ?? '']));
    try {
      new Webhook(secret).verify(body, headers, { jsonParse: false });
      return header('webhook-id') ?? null;
    } catch {
      return null;
    }
  },
  /** GitHub signs the body alone, so a message is as good as ever however old it is; its repetition starts nothing. */
  github({ header, body }, secret) {
    const given = /^sha256=([0-9a-f]{64})$/i.exec(header('x-hub-signature-256') ?? '')?.[1];
    return given !== undefined && isSignature(given, [body], secret) ? digestOf(body) : null;
  },
  /** Stripe signs anew when it sends again: the body says that it is the same event. */
  stripe({ header, body }, secret) {
    const parts = (header('stripe-signature') ?? '').split(',').map((part) => part.trim().split('='));
    const time = parts.find(([name]) => name === 't')?.[1] ?? '';
    const given = parts.flatMap(([name, value]) => (name === 'v1' && value !== undefined ? [value] : []));
    const isRecent = /^\d{1,12}$/.test(time) && Math.abs(Date.now() / 1000 - Number(time)) <= toleranceSeconds;
    const isSigned = given.some((signature) => isSignature(signature, [Buffer.from(`${time}.`), body], secret));
    return isSigned && isRecent ? digestOf(body) : null;
  },
};

/** In constant time. */
function isSignature(hex: string, signed: readonly Buffer[], secret: string): boolean {
  const hmac = createHmac('sha256', secret);
  for (const bytes of signed) hmac.update(bytes);
  const expected = hmac.digest();
  const given = Buffer.from(hex, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** @returns by what a repetition of the message is known; null when its signature is not valid, or too old */
export const verifySignature = (
  message: SignedMessage,
  { scheme, secret }: { readonly scheme: SignatureScheme; readonly secret: string },
): string | null => verifiers[scheme](message, secret);
