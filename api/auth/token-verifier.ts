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

export type TokenVerifier = (token: string) => Promise<Principal>;

/**
 * Verifies tokens of one issuer for one audience. A verified token is remembered until it expires: a signature check
 * costs more than all the rest of a cached read. Keys are hashes, so that a heap dump holds no token.
 * @throws (from the verifier) ASTRA_UNAUTHENTICATED; ASTRA_UNAVAILABLE when the keys cannot be fetched.
 */
export function createTokenVerifier(options: {
  readonly keys: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
}): TokenVerifier {
  const { keys, issuer, audience } = options;
  const verified = new LRUCache<string, { readonly principal: Principal; readonly expiresAtMs: number }>({
    max: maxCachedTokens,
  });

  return async (token) => {
    const key = hash('sha256', token, 'base64');
    const cached = verified.get(key);
    if (cached && cached.expiresAtMs > Date.now()) return cached.principal;
    const payload = await verify(token, keys, { issuer, audience });
    const principal = toPrincipal(payload);
    // `exp` is required. A token within its clock tolerance is verified each time.
    verified.set(key, { principal, expiresAtMs: (payload.exp ?? 0) * 1000 });
    return principal;
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
  return { subject: payload.sub, tenant: tenant.data, scopes: new Set(known) };
}
