import { importJWK, SignJWT } from 'jose';
import type { Secrets } from './secrets.ts';
import { writeFileAtomically } from './write-file-atomically.ts';

export const jwtIssuer = 'astra-local';
export const jwtAudience = 'astra';
const scope = 'goals:read goals:write approvals:write admin';

/** Writes the public key as a JWKS file and returns a token for the user of this machine, valid for 30 days. */
export async function createLocalToken(secrets: Secrets, jwksPath: string): Promise<string> {
  const { d: _private, ...publicKey } = secrets.jwtPrivateKey;
  const jwks = { keys: [{ ...publicKey, kid: secrets.jwtKeyId, alg: 'EdDSA', use: 'sig' }] };
  writeFileAtomically(jwksPath, `${JSON.stringify(jwks, null, 2)}\n`, 0o644);
  return new SignJWT({ tenant: 'default', scope })
    .setProtectedHeader({ alg: 'EdDSA', kid: secrets.jwtKeyId, typ: 'JWT' })
    .setIssuer(jwtIssuer)
    .setAudience(jwtAudience)
    .setSubject('local')
    .setIssuedAt()
    .setExpirationTime('30d')
    .sign(await importJWK(secrets.jwtPrivateKey, 'EdDSA'));
}
