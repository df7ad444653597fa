import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createSharedQuery } from './shared-query.ts';

/** While Redis tells of changes nothing should be missed, and this covers a connection that is broken without a word. */
const listenedPollSeconds = 10;

export interface Announced {
  /** The first load, whatever became of it: rejects as `load` did, which is called again all the same. */
  readonly loaded: Promise<void>;
  close(): void;
}

/**
 * Keeps something that Postgres has in the memory of a process, a second old at most: it is loaded at once, when Redis
 * announces a change, each second while Redis is away or loading fails, and every ten otherwise. Loads follow one another.
 */
export function followAnnouncements(
  redis: Redis,
  options: {
    readonly channel: string;
    readonly load: () => Promise<void>;
    /** Unless given, an announcement means that all is to be loaded again. */
    readonly onAnnounced?: (message: string) => void;
    /** Told once when loading begins to fail. */
    readonly onAway: (error: unknown) => void;
  },
): Announced {
  const { channel, onAway } = options;
  const closing = new AbortController();
  const listener = redis.duplicate({ autoResubscribe: false });
  const share = createSharedQuery<undefined>();
  let listening = false;
  let away = false;

  const load = (): Promise<undefined> =>
    share('', async () => {
      try {
        await options.load();
        away = false;
      } catch (error) {
        if (!away) onAway(error);
        away = true;
        throw error;
      }
      return undefined;
    });
  const reload = (): Promise<undefined> => load().catch(() => undefined);

  async function poll(): Promise<void> {
    for (let second = 1; !closing.signal.aborted; second += 1) {
      await sleep(1_000, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
      if (!closing.signal.aborted && (!listening || away || second % listenedPollSeconds === 0)) await reload();
    }
  }
  async function listen(): Promise<void> {
    await listener.subscribe(channel);
    listening = true;
    // What was told before somebody listened.
    await reload();
  }

  listener.on('message', (_channel: string, message: string) => {
    if (options.onAnnounced) options.onAnnounced(message);
    else void reload();
  });
  listener.on('ready', () => void listen().catch(() => listener.disconnect(true)));
  listener.on('close', () => (listening = false));
  // ioredis reconnects by itself and an unhandled `error` would end the process; the connection given tells of it.
  listener.on('error', () => undefined);
  const loaded = load();
  // Who does not wait for it is told by `onAway`.
  loaded.catch(() => undefined);
  void poll();

  return {
    loaded,
    close() {
      closing.abort();
      listener.disconnect();
    },
  };
}
