import type { Transport } from '../transport.ts';
import type { CallOptions } from '../types.ts';

export interface Tokens {
  /**
   * Ends a token before it expires: the one given, or the client's own. All API processes refuse it within a second.
   * Another subject's token takes the scope `admin`.
   * @throws ASTRA_FORBIDDEN; ASTRA_BODY_INVALID when it is not a token of the tenant, or has expired
   */
  revoke(token?: string, options?: CallOptions): Promise<void>;
}

export function createTokens(transport: Transport): Tokens {
  return {
    async revoke(token, { signal } = {}) {
      // Its own it could not use for a second try.
      const body = token === undefined ? {} : { body: { token }, idempotent: true };
      await transport.json('v1/tokens:revoke', { method: 'POST', ...body, signal });
    },
  };
}
