import { hash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { AstraError } from '../../domain/errors.ts';
import { tenantSchema } from '../../domain/schemas/common.ts';
import { scopes, type Principal, type Scope } from '../context.ts';

/** Signatures only: an HMAC key that verifies could also sign. */
const algorithms = ['EdDSA', 'ES256', 'RS256'];
const maxCachedTokens = 10_000;
const clockToleranceSeconds = 5;

export interface VerifiedToken {
  /** Of what was signed: a signature can be written in more than one way. */
  readonly id: string;
  readonly principal: Principal;
  readonly expiresAtMs: number;
}

/** Tokens of one issuer for one audience. */
export interface TokenVerifier {
  /** At once, for a token that was verified before and is still good; undefined: `verify` it. */
  recall(token: string): VerifiedToken | undefined;
  /** Neither expired nor revoked meanwhile. */
  isGood(token: VerifiedToken): boolean;
  /** @throws ASTRA_UNAUTHENTICATED; ASTRA_UNAVAILABLE when the keys cannot be fetched. */
  verify(token: string): Promise<Principal>;
  /** What a token says that may have been revoked. @throws as `verify` */
  read(token: string): Promise<VerifiedToken>;
}

const digest = (text: string): string => hash('sha256', text, 'base64url');

/**
 * A verified token is remembered until it expires or is revoked: a signature check costs more than all the rest of a
 * cached read. It is remembered by its hash (2 µs), so that a heap dump holds no token.
 */
export function createTokenVerifier(options: {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
  readonly isRevoked: (tokenId: string) => boolean;
}): TokenVerifier {
  const { keys, issuer, audience, isRevoked } = options;
  const verified = new LRUCache<string, VerifiedToken>({ max: maxCachedTokens });

  const isGood = ({ id, expiresAtMs }: VerifiedToken): boolean => expiresAtMs > Date.now() && !isRevoked(id);

  function recall(token: string): VerifiedToken | undefined {
    const known = verified.get(digest(token));
    return known && isGood(known) ? known : undefined;
  }

  async function read(token: string): Promise<VerifiedToken> {
    const payload = await verify(token, keys, { issuer, audience });
    // `exp` is required. A token within its clock tolerance is verified each time.
    const expiresAtMs = (payload.exp ?? 0) * 1000;
    return { id: digest(token.slice(0, token.lastIndexOf('.'))), principal: toPrincipal(payload), expiresAtMs };
  }

  return {
    recall,
    isGood,
    async verify(token) {
      const known = recall(token);
      if (known) return known.principal;
      const fresh = await read(token);
      if (isRevoked(fresh.id)) throw new AstraError('ASTRA_UNAUTHENTICATED', 'The token was revoked. Get a new one.');
      verified.set(digest(token), fresh);
      return fresh.principal;
    },
    read,
  };
}

async function verify(
  token: string,
  keys: JWTVerifyGetKey,
  expected: { readonly issuer: string; readonly audience: string },
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      ...expected,
      algorithms,
      requiredClaims: ['exp', 'sub', 'tenant', 'scope'],
      clockTolerance: clockToleranceSeconds,
    });
    return payload;
  } catch (cause) {
    if (isAboutTheToken(cause)) {
      throw new AstraError('ASTRA_UNAUTHENTICATED', `The token is not accepted: ${cause.message}.`, { cause });
    }
    throw new AstraError('ASTRA_UNAVAILABLE', 'The keys of the token issuer cannot be fetched. Try again soon.', {
      retryAfterSeconds: 5,
      cause,
    });
  }
}

function isAboutTheToken(error: unknown): error is errors.JOSEError {
  // JWKSTimeout is the time-out of the fetch; a bare JOSEError is its bad answer.
  return error instanceof errors.JOSEError && error.code !== 'ERR_JWKS_TIMEOUT' && error.code !== 'ERR_JOSE_GENERIC';
}

function toPrincipal(payload: JWTPayload): Principal {
  const tenant = tenantSchema.safeParse(payload['tenant']);
  const scope = payload['scope'];
  if (!tenant.success) throw new AstraError('ASTRA_UNAUTHENTICATED', 'The token has no valid `tenant` claim.');
  if (typeof scope !== 'string' || payload.sub === undefined || payload.sub === '') {
    throw new AstraError('ASTRA_UNAUTHENTICATED', 'The token needs a `sub` and a `scope` claim, both strings.');
  }
  const granted = new Set(scope.split(' '));
  const known = scopes.filter((name): name is Scope => granted.has(name));
  return { subject: payload.sub, tenant: tenant.data, scopes: new Set(known), claimedScopes: granted };
}
