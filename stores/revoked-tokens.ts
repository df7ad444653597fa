import type { Redis } from 'ioredis';
import type { Logger } from '../platform/logger.ts';
import { followAnnouncements } from './announced.ts';
import { keys } from './cache/keys.ts';
import type { RevokedToken, RevokedTokenStore } from './postgres/revoked-tokens.ts';

export interface RevokedTokens {
  has(tokenId: string): boolean;
  /**
   * When it resolves the token is refused here for good, and by the other processes within a second.
   * @throws ASTRA_UNAVAILABLE, and then it may count or not
   */
  revoke(tenant: string, token: RevokedToken): Promise<void>;
  /** Resolves when those of before are known, or cannot be read. */
  readonly loaded: Promise<void>;
  close(): void;
}

/**
 * The tokens that are revoked, in the memory of each API process. Postgres keeps them, and Redis tells the others at once
 * (announced.ts). A process that starts while Postgres is away takes revoked tokens until it is back: reads go on without
 * Postgres, and this is what that costs.
 */
export function createRevokedTokens(
  deps: { readonly store: RevokedTokenStore; readonly redis: Redis },
  options: { readonly logger: Pick<Logger, 'warn'> },
): RevokedTokens {
  const { store, redis } = deps;
  const expiries = new Map<string, number>();

  function forgetExpired(): void {
    for (const [id, expiresAtMs] of expiries) if (expiresAtMs < Date.now() - 60_000) expiries.delete(id);
  }
  const { loaded, close } = followAnnouncements(redis, {
    channel: keys.revocations,
    async load() {
      for (const { id, expiresAtMs } of await store.list()) expiries.set(id, expiresAtMs);
      forgetExpired();
    },
    onAnnounced(message) {
      const [id = '', expiresAtMs] = message.split(' ');
      expiries.set(id, Number(expiresAtMs));
    },
    onAway: (error) => options.logger.warn({ err: error }, 'revoked tokens cannot be read; those known stay revoked'),
  });

  return {
    has: (tokenId) => expiries.has(tokenId),
    async revoke(tenant, token) {
      await store.add(tenant, token);
      expiries.set(token.id, token.expiresAtMs);
      await redis.publish(keys.revocations, `${token.id} ${token.expiresAtMs}`).catch(() => undefined);
    },
    loaded: loaded.catch(() => undefined),
    close,
  };
}
