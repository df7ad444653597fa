import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import type { SignatureScheme } from '../../domain/schemas/inbound-webhook.ts';
import { verifySignature } from './verify-signature.ts';

const standardSecret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
const secret = 'it is a secret';
const body = Buffer.from('{"name":"ä"}');
const now = (): number => Math.floor(Date.now() / 1000);
const hmac = (text: string | Buffer, key = secret): string => createHmac('sha256', key).update(text).digest('hex');

type Headers = Readonly<Record<string, string>>;
const verify = (scheme: SignatureScheme, headers: Headers, signed: Buffer = body): string | null =>
  verifySignature(
    { header: (name) => headers[name], body: signed },
    { scheme, secret: scheme === 'standard' ? standardSecret : secret },
  );

const standard = (at = now(), key = standardSecret): Headers => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(at),
  'webhook-signature': new Webhook(key).sign('msg_1', new Date(at * 1000), body),
});
const github = (key = secret): Headers => ({ 'x-hub-signature-256': `sha256=${hmac(body, key)}` });
const stripe = (at = now(), key = secret): Headers => ({
  'stripe-signature': `t=${at},v1=${hmac(`${at}.${body.toString()}`, key)},v0=00`,
});

describe('a message is accepted', () => {
  test('that is signed by the Standard Webhooks specification, and is known by its id', () => {
    expect(verify('standard', standard())).toBe('msg_1');
    const other = new Webhook(`whsec_${Buffer.alloc(32, 9).toString('base64')}`);
    const headers = standard();
    const both = `${other.sign('msg_1', new Date(), body)} ${headers['webhook-signature']}`;
    expect(verify('standard', { ...headers, 'webhook-signature': both })).toBe('msg_1');
  });

  test('that GitHub signed, and is known by what is in it, whatever its headers say', () => {
    const known = verify('github', { ...github(), 'x-github-delivery': 'one' });
    expect(known).toMatch(/^[0-9a-f]{64}$/);
    expect(verify('github', { ...github(), 'x-github-delivery': 'another' })).toBe(known);
  });

  test('that Stripe signed, and is known although Stripe signs it anew when it sends it again', () => {
    const known = verify('stripe', stripe());
    expect(known).toMatch(/^[0-9a-f]{64}$/);
    expect(verify('stripe', stripe(now() - 60))).toBe(known);
    // While a secret is replaced there is a signature by each.
    const at = now();
    const both = `t=${at},v1=${hmac(`${at}.x`)},v1=${hmac(`${at}.${body.toString()}`)}`;
    expect(verify('stripe', { 'stripe-signature': both })).toBe(known);
  });
});

describe('a message is refused', () => {
  const changed = Buffer.from('{"name":"b"}');
  const otherStandard = `whsec_${Buffer.alloc(32, 2).toString('base64')}`;
  const tooOld = (): number => now() - 301;
  const tooNew = (): number => now() + 330;

  test.each<[string, SignatureScheme, () => Headers, Buffer?]>([
    ['without a signature', 'standard', () => ({})],
    ['without a signature', 'github', () => ({})],
    ['without a signature', 'stripe', () => ({})],
    ['of another secret', 'standard', () => standard(now(), otherStandard)],
    ['of another secret', 'github', () => github('another secret')],
    ['of another secret', 'stripe', () => stripe(now(), 'another secret')],
    ['that was changed', 'standard', standard, changed],
    ['that was changed', 'github', github, changed],
    ['that was changed', 'stripe', stripe, changed],
    ['that is too old', 'standard', () => standard(tooOld())],
    ['that is too old', 'stripe', () => stripe(tooOld())],
    ['of the future', 'standard', () => standard(tooNew())],
    ['of the future', 'stripe', () => stripe(tooNew())],
    ['with another time than was signed', 'stripe', () => ({ 'stripe-signature': `t=${now()},v1=${hmac('1.x')}` })],
    ['with another id than was signed', 'standard', () => ({ ...standard(), 'webhook-id': 'msg_2' })],
    [
      'with half a signature',
      'github',
      () => ({ 'x-hub-signature-256': github()['x-hub-signature-256']!.slice(0, 40) }),
    ],
    ['with a signature of the old kind', 'github', () => ({ 'x-hub-signature-256': `sha1=${hmac(body)}` })],
    ['with nonsense', 'stripe', () => ({ 'stripe-signature': 't=,v1=,=,v1' })],
  ])('%s (%s)', (_what, scheme, headers, signed) => {
    expect(verify(scheme, headers(), signed)).toBeNull();
  });
});
