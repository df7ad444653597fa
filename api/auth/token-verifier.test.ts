import { createLocalJWKSet, createRemoteJWKSet, exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, test, vi } from 'vitest';
import { audience, createTestTokens, issuer } from '../test-support/tokens.ts';
import { createTokenVerifier } from './token-verifier.ts';

const refused = { code: 'ASTRA_UNAUTHENTICATED' };

describe('a token is accepted', () => {
  test.each(['EdDSA', 'ES256', 'RS256'] as const)('when it is signed with %s by the issuer', async (algorithm) => {
    const { sign, verifier } = await createTestTokens(algorithm);
    const principal = await verifier().verify(await sign({ scope: 'goals:read unknown:scope admin' }));
    expect(principal).toEqual({
      subject: 'user-1',
      tenant: 'tenant-a',
      scopes: new Set(['goals:read', 'admin']),
      claimedScopes: new Set(['goals:read', 'unknown:scope', 'admin']),
    });
  });

  test('once: the signature is not checked again until it expires', async () => {
    const { publicKey, privateKey } = await generateKeyPair('EdDSA', { extractable: true });
    const keys = vi.fn(createLocalJWKSet({ keys: [await exportJWK(publicKey)] }));
    const { verify } = createTokenVerifier({ keys, issuer, audience, isRevoked: () => false });
    const token = await new SignJWT({ iss: issuer, aud: audience, sub: 's', tenant: 't', scope: '' })
      .setProtectedHeader({ alg: 'EdDSA' })
      .setExpirationTime('1h')
      .sign(privateKey);
    const first = await verify(token);
    expect(await verify(token)).toBe(first);
    expect(keys).toHaveBeenCalledTimes(1);
  });
});

describe('a token is refused', () => {
  test.each([
    ['another issuer', { iss: 'somebody' }],
    ['another audience', { aud: 'other' }],
    ['no tenant', { tenant: undefined }],
    ['a tenant that is no name', { tenant: '../x' }],
    ['no scope', { scope: undefined }],
    ['a scope that is a list', { scope: ['goals:read'] }],
    ['no subject', { sub: undefined }],
  ])('with %s', async (_what, claims) => {
    const { sign, verifier } = await createTestTokens();
    const { verify } = verifier();
    await expect(verify(await sign(claims))).rejects.toMatchObject(refused);
  });

  test('when it is expired, also when it was accepted before', async () => {
    const { sign, verifier } = await createTestTokens();
    const { verify } = verifier();
    const expiresAt = Math.floor(Date.now() / 1000) + 60;
    const token = await sign({}, { expiresAt });
    await verify(token);
    vi.useFakeTimers({ now: (expiresAt + 30) * 1000 });
    try {
      await expect(verify(token)).rejects.toMatchObject(refused);
    } finally {
      vi.useRealTimers();
    }
  });

  test('when it is revoked, also when it was accepted before, and however its signature is written', async () => {
    const { sign, verifier } = await createTestTokens();
    const revoked = new Set<string>();
    const { verify, read, recall } = verifier((id) => revoked.has(id));
    const [token, other] = [await sign(), await sign({ sub: 'user-2' })];
    await verify(token);
    revoked.add((await read(token)).id);
    expect(recall(token)).toBeUndefined();
    // The last character of a base64url text may stand for less than six bits: others in its place say the same.
    const twins = ['A', 'Q', 'g', 'w'].map((last) => token.slice(0, -1) + last);
    for (const each of [token, ...twins]) await expect(verify(each)).rejects.toMatchObject(refused);
    await expect(verify(other)).resolves.toMatchObject({ subject: 'user-2' });
  });

  test('when the signature of an accepted one is exchanged', async () => {
    const { sign, verifier } = await createTestTokens();
    const { verify, recall } = verifier();
    const [token, other] = [await sign(), await sign({ sub: 'user-2' })];
    await verify(token);
    const mixed = token.slice(0, token.lastIndexOf('.')) + other.slice(other.lastIndexOf('.'));
    expect(recall(mixed)).toBeUndefined();
    await expect(verify(mixed)).rejects.toMatchObject(refused);
  });

  test('when another key signed it, when nobody did, and when a shared secret did', async () => {
    const { verifier } = await createTestTokens();
    const { verify } = verifier();
    const claims = { iss: issuer, aud: audience, sub: 's', tenant: 't', scope: 'admin' };
    const other = await createTestTokens();
    await expect(verify(await other.sign())).rejects.toMatchObject(refused);
    await expect(verify(new UnsecuredJWT(claims).setExpirationTime('1h').encode())).rejects.toMatchObject(refused);
    const secret = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode('a secret of thirty-two characters!'));
    await expect(verify(secret)).rejects.toMatchObject(refused);
    await expect(verify('not.a.token')).rejects.toMatchObject(refused);
  });
});

test('keys that cannot be fetched are an outage, not a bad token', async () => {
  const { sign } = await createTestTokens();
  // Port 9 of loopback: nothing listens there.
  const keys = createRemoteJWKSet(new URL('http://127.0.0.1:9/jwks'), { timeoutDuration: 500 });
  const { verify } = createTokenVerifier({ keys, issuer, audience, isRevoked: () => false });
  await expect(verify(await sign())).rejects.toMatchObject({ code: 'ASTRA_UNAVAILABLE', retryAfterSeconds: 5 });
});
