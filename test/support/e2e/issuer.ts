import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { jwtAudience, jwtIssuer } from '../../../infra/local/local-token.ts';

export interface TokenClaims {
  /** `tester` unless given. */
  readonly subject?: string;
  /** `default` unless given. */
  readonly tenant?: string;
  /** All but `admin` unless given. */
  readonly scope?: string;
}

export interface Issuer {
  /** The public key, as ASTRA_JWKS_FILE has it. */
  readonly jwks: string;
  sign(claims: TokenClaims): Promise<string>;
}

/** Issues tokens that the local stack's settings take for its own, when its keys are these. */
export async function createIssuer(): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const key = { ...(await exportJWK(publicKey)), kid: 'e2e', alg: 'EdDSA', use: 'sig' };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    sign: ({ subject = 'tester', tenant = 'default', scope = 'goals:read goals:write approvals:write' }) =>
      new SignJWT({ tenant, scope })
        .setProtectedHeader({ alg: 'EdDSA', kid: 'e2e' })
        .setIssuer(jwtIssuer)
        .setAudience(jwtAudience)
        .setSubject(subject)
        .setExpirationTime('1h')
        .sign(privateKey),
  };
}
