import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { runId } from './trust.ts';

/** Redis tells of changes here in RESP2; what it pushes in RESP3, ioredis drops. */
const invalidations = '__redis__:invalidate';
const beatMs = 25;
const retryMs = 1_000;
/** After so long without a question it does nothing until the next one. */
const idleMs = 1_000;

export interface KeyFollower {
  /** Whether the next change of a key that is read from now on will be told. */
  readonly following: boolean;
  /** What was changed longer ago than this has been told. Infinity: nothing is known. */
  behindMs(): number;
  /** Ends its own work; the connection given stays open. */
  close(): void;
}

/**
 * Is told of the first change of each key that `redis` has read: client-side caching, CLIENT TRACKING redirected to a
 * connection of its own.
 *
 * A silent connection may be one on which nothing happens, or one that is broken and nobody knows it yet. So it is pinged
 * all the time: Redis answers in order, and with the answer has come whatever was changed before the ping was sent.
 */
export function followKeys(
  redis: Redis,
  options: {
    readonly onChanged: (key: string) => void;
    /** Any key may have changed since it was read. */
    readonly onLost: () => void;
  },
): KeyFollower {
  const { onChanged, onLost } = options;
  const listener = redis.duplicate({ protocol: 2, autoResubscribe: false });
  const closing = new AbortController();
  let following = false;
  let losses = 0;
  let toldUntil = -Infinity;
  let askedAt = -Infinity;

  function lose(): void {
    following = false;
    losses += 1;
    onLost();
  }
  /** Both connections are made anew, so that both are to one server: an id means nothing on another. */
  function renew(): void {
    lose();
    listener.disconnect(true);
  }

  async function follow(): Promise<void> {
    const before = losses;
    if ((await runId(listener)) !== (await runId(redis))) throw new Error('two servers answer as one');
    const id = await listener.client('ID');
    // The last of its commands: a connection that has subscribed takes no other.
    await listener.subscribe(invalidations);
    await redis.client('TRACKING', 'ON', 'REDIRECT', id);
    following = before === losses;
  }
  async function beat(): Promise<void> {
    const sentAt = performance.now();
    if (sentAt - askedAt > idleMs || redis.status !== 'ready' || listener.status !== 'ready') return;
    if (!following) await follow();
    await listener.ping();
    toldUntil = sentAt;
  }
  // Without a key all of them have changed.
  listener.on('message', (_channel: string, key: string) => (key === '' ? onLost() : onChanged(key)));
  listener.on('close', lose);
  // ioredis reconnects by itself and an unhandled `error` would end the process; the connection given tells of it.
  listener.on('error', () => undefined);
  redis.on('close', renew);
  void keepBeating(beat, { onFailure: renew, signal: closing.signal });

  return {
    get following() {
      return following;
    },
    behindMs() {
      askedAt = performance.now();
      return following ? askedAt - toldUntil : Infinity;
    },
    close() {
      closing.abort();
      redis.off('close', renew);
      lose();
      listener.disconnect();
    },
  };
}

/** Beats, and waits a second after a beat that failed. */
async function keepBeating(
  beat: () => Promise<void>,
  { onFailure, signal }: { readonly onFailure: () => void; readonly signal: AbortSignal },
): Promise<void> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { ref: false, signal }).catch(() => undefined);
  while (!signal.aborted) {
    await pause(beatMs);
    try {
      await beat();
    } catch {
      onFailure();
      await pause(retryMs);
    }
  }
}
