import type { Redis } from 'ioredis';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { keys } from './keys.ts';

/** `event`: a new `seq` is committed. `live`: there is something new in the live lane. `lost`: either may have been missed. */
export type Wake = 'event' | 'live' | 'lost';
export const liveWakeMessage = 'live';

export interface WakeChannel {
  /**
   * Calls `onWake` whenever the goal has news; also once the watching has really begun and after each lost connection,
   * so that a watcher who looks at each call misses nothing. Ends with the function returned.
   */
  watch(goal: GoalRef, onWake: (wake: Wake) => void): () => void;
  /** False: nobody will be woken, look from time to time. */
  connected(): boolean;
  close(): void;
}

/** One subscriber connection, opened by the first watcher, for all watchers of all goals. */
export function createWakeChannel(redis: Redis): WakeChannel {
  const watchers = new Map<string, Set<(wake: Wake) => void>>();
  let connection: Redis | undefined;

  const wake = (channel: string, kind: Wake): void => {
    for (const onWake of watchers.get(channel) ?? []) onWake(kind);
  };
  const wakeAll = (): void => {
    for (const channel of watchers.keys()) wake(channel, 'lost');
  };
  const subscribe = (subscriber: Redis, channels: readonly string[], onSubscribed: () => void): void => {
    if (subscriber.status !== 'ready' || channels.length === 0) return;
    // When the connection breaks meanwhile, the next `ready` subscribes again.
    subscriber.subscribe(...channels).then(onSubscribed, () => undefined);
  };

  function open(): Redis {
    const subscriber = redis.duplicate({ autoResubscribe: false, enableOfflineQueue: false, lazyConnect: true });
    subscriber.on('message', (channel: string, message: string) => {
      wake(channel, message === liveWakeMessage ? 'live' : 'event');
    });
    subscriber.on('ready', () => subscribe(subscriber, [...watchers.keys()], wakeAll));
    subscriber.on('close', wakeAll);
    // ioredis reconnects by itself and an unhandled `error` would end the process; /readyz tells of it.
    subscriber.on('error', () => undefined);
    subscriber.connect().catch(() => undefined);
    return subscriber;
  }

  return {
    watch(goal, onWake) {
      connection ??= open();
      const subscriber = connection;
      const channel = keys.wake(goal);
      const own = watchers.get(channel) ?? new Set();
      watchers.set(channel, own.add(onWake));
      // Also for a second watcher of the goal: what tells it that its watching has begun is cheap and idempotent.
      subscribe(subscriber, [channel], () => {
        if (own.has(onWake)) onWake('lost');
      });
      return () => {
        own.delete(onWake);
        if (own.size > 0 || watchers.get(channel) !== own) return;
        watchers.delete(channel);
        if (subscriber.status === 'ready') subscriber.unsubscribe(channel).catch(() => undefined);
      };
    },
    connected: () => connection?.status === 'ready',
    close() {
      watchers.clear();
      connection?.disconnect();
    },
  };
}
