import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from '../platform/logger.ts';
import { keys } from './cache/keys.ts';
import type { RevokedToken, RevokedTokenStore } from './postgres/revoked-tokens.ts';

/** While Redis tells of them nothing should be missed, and this covers a connection that is broken without a word. */
const listenedPollSeconds = 10;

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
 * The tokens that are revoked, in the memory of each API process. Postgres keeps them, Redis tells the others at once; each
 * second, while Redis is away, and every ten otherwise they are read again. A process that starts while Postgres is away
 * takes revoked tokens until it is back: reads go on without Postgres, and this is what that costs.
 */
export function createRevokedTokens(
  deps: { readonly store: RevokedTokenStore; readonly redis: Redis },
  options: { readonly logger: Pick<Logger, 'warn'> },
): RevokedTokens {
  const { store, redis } = deps;
  const expiries = new Map<string, number>();
  const closing = new AbortController();
  const listener = redis.duplicate({ autoResubscribe: false });
  let listening = false;
  let away = false;

  function forgetExpired(): void {
    for (const [id, expiresAtMs] of expiries) if (expiresAtMs < Date.now() - 60_000) expiries.delete(id);
  }
  async function load(): Promise<void> {
    try {
      for (const { id, expiresAtMs } of await store.list()) expiries.set(id, expiresAtMs);
      forgetExpired();
      away = false;
    } catch (error) {
      if (!away) options.logger.warn({ err: error }, 'revoked tokens cannot be read; those known stay revoked');
      away = true;
    }
  }
  async function poll(): Promise<void> {
    for (let second = 1; !closing.signal.aborted; second += 1) {
      await sleep(1_000, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted && (!listening || away || second % listenedPollSeconds === 0)) await load();
    }
  }

  listener.on('message', (_channel: string, message: string) => {
    const [id = '', expiresAtMs] = message.split(' ');
    expiries.set(id, Number(expiresAtMs));
  });
  async function listen(): Promise<void> {
    await listener.subscribe(keys.revocations);
    listening = true;
    // What was told before somebody listened.
    await load();
  }

  listener.on('ready', () => void listen().catch(() => listener.disconnect(true)));
  listener.on('close', () => (listening = false));
  // ioredis reconnects by itself and an unhandled `error` would end the process; the connection given tells of it.
  listener.on('error', () => undefined);
  const loaded = load();
  void poll();

  return {
    has: (tokenId) => expiries.has(tokenId),
    async revoke(tenant, token) {
      await store.add(tenant, token);
      expiries.set(token.id, token.expiresAtMs);
      await redis.publish(keys.revocations, `${token.id} ${token.expiresAtMs}`).catch(() => undefined);
    },
    loaded,
    close() {
      closing.abort();
      listener.disconnect();
    },
  };
}
