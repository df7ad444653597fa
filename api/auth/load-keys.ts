import { readFile } from 'node:fs/promises';
import { createLocalJWKSet, createRemoteJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { AstraError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config.ts';

/** The issuer's public keys, from its URL or from a file. @throws ASTRA_PARAMETER_INVALID */
export async function loadKeys(config: Pick<Config, 'ASTRA_JWKS_URL' | 'ASTRA_JWKS_FILE'>): Promise<JWTVerifyGetKey> {
  if (config.ASTRA_JWKS_URL !== undefined) {
    return createRemoteJWKSet(new URL(config.ASTRA_JWKS_URL), { timeoutDuration: 3_000 });
  }
  if (config.ASTRA_JWKS_FILE === undefined) {
    throw new AstraError(
      'ASTRA_PARAMETER_INVALID',
      'Set ASTRA_JWKS_URL or ASTRA_JWKS_FILE: the API needs the keys of its token issuer.',
    );
  }
  try {
    // createLocalJWKSet checks the shape itself.
    return createLocalJWKSet(JSON.parse(await readFile(config.ASTRA_JWKS_FILE, 'utf8')) as JSONWebKeySet);
  } catch (cause) {
    throw new AstraError(
      'ASTRA_PARAMETER_INVALID',
      `ASTRA_JWKS_FILE (${config.ASTRA_JWKS_FILE}) is not a readable JWKS.`,
      { cause },
    );
  }
}
