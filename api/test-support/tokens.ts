import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { createTokenVerifier, type TokenVerifier } from '../auth/token-verifier.ts';

export const issuer = 'test-issuer';
export const audience = 'astra';

export interface TestTokens {
  /** @param isRevoked as a process has it */
  verifier(isRevoked?: (tokenId: string) => boolean): TokenVerifier;
  /** A token of `tenant-a` for an hour, with all scopes but `admin` unless the claims say otherwise. */
  sign(claims?: Readonly<Record<string, unknown>>, options?: { readonly expiresAt?: number }): Promise<string>;
}

/** A key of this test's own, and the verifier that trusts it. */
export async function createTestTokens(algorithm: 'EdDSA' | 'ES256' | 'RS256' = 'EdDSA'): Promise<TestTokens> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const keys = createLocalJWKSet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: algorithm }] });
  return {
    verifier: (isRevoked = () => false) => createTokenVerifier({ keys, issuer, audience, isRevoked }),
    sign: (claims = {}, options = {}) =>
      new SignJWT({
        iss: issuer,
        aud: audience,
        sub: 'user-1',
        tenant: 'tenant-a',
        scope: 'goals:read goals:write approvals:write',
        ...claims,
      })
        .setProtectedHeader({ alg: algorithm, kid: 'k' })
        .setExpirationTime(options.expiresAt ?? Math.floor(Date.now() / 1000) + 3_600)
        .sign(privateKey),
  };
}
