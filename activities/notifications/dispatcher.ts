import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../platform/logger.ts';
import type { ClaimedDelivery, DeliveryQueue } from '../../stores/postgres/delivery-queue.ts';
import { retryDelayMs } from './back-off.ts';
import { createEndpointRooms, perEndpoint } from './endpoint-rooms.ts';
import type { Attempt, SendDelivery } from './send-delivery.ts';

/** What is due is looked for so often, should nobody say that there is something. */
const pollMs = 1_000;
/** Between two looks, so that what comes in one after the other is taken together. */
const pauseMs = 20;
const maxUnderWay = 200;
/** Longer than any attempt takes: a delivery that is still claimed then has lost its process. */
const leaseSeconds = 30;
const cleanUpMs = 3_600_000;
/** Attempts under way get this long when the process ends. */
const graceMs = 2_000;

interface DispatcherDeps {
  readonly queue: DeliveryQueue;
  readonly send: SendDelivery;
  /** Days for which settled deliveries are kept. */
  readonly logDays: number;
  /** Called when a receiver wants no more. */
  readonly onDisabled: () => void;
  /** Called after each attempt, for metrics. */
  readonly onAttempted: (outcome: Attempt['outcome']) => void;
  readonly logger: Pick<Logger, 'warn'>;
}

export interface Dispatcher {
  /** There may be something to send. */
  wake(): void;
  /** What is not sent by then is another process's, or the next one's. */
  close(): Promise<void>;
}

/**
 * Sends what is in the outbox. Any number of processes may: each claims what it sends, for as long as an attempt may take at
 * most. Whatever dies in between, the delivery is due again, with the same id: receivers get it at least once.
 */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  const { queue, send } = deps;
  const rooms = createEndpointRooms();
  const orNull = createPatience(deps.logger);
  const underWay = new Set<Promise<void>>();
  const closing = new AbortController();
  const cutting = new AbortController();
  let woken = Promise.withResolvers<undefined>();
  const wake = (): void => woken.resolve(undefined);

  async function claim(): Promise<void> {
    const limit = maxUnderWay - underWay.size;
    if (limit <= 0) return;
    const claimed = await orNull(queue.claim({ limit, perEndpoint, leaseSeconds, rooms: rooms.list() }));
    for (const delivery of claimed ?? []) {
      rooms.take(delivery);
      const work = deliver(delivery).finally(() => {
        underWay.delete(work);
        wake();
      });
      underWay.add(work);
    }
  }

  async function deliver(delivery: ClaimedDelivery): Promise<void> {
    const attempt = await send(delivery, cutting.signal);
    deps.onAttempted(attempt.outcome);
    rooms.giveBack(delivery, { failed: attempt.outcome === 'retry' });
    await orNull(settle(deps, delivery, { attempt }));
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      woken = Promise.withResolvers();
      const timer = setTimeout(wake, pollMs);
      await claim();
      await woken.promise;
      clearTimeout(timer);
      await sleep(pauseMs);
    }
  }

  async function cleanUp(): Promise<void> {
    while (!closing.signal.aborted) {
      await orNull(queue.deleteSettled({ olderThanDays: deps.logDays }));
      await sleep(cleanUpMs, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);
    }
  }

  const running = run();
  void cleanUp();

  return {
    wake,
    async close() {
      closing.abort();
      wake();
      await running;
      const ended = Promise.all(underWay);
      await Promise.race([ended, sleep(graceMs)]);
      cutting.abort();
      await ended;
    },
  };
}

async function settle(
  { queue, onDisabled }: Pick<DispatcherDeps, 'queue' | 'onDisabled'>,
  delivery: ClaimedDelivery,
  { attempt }: { readonly attempt: Attempt },
): Promise<void> {
  const { outcome } = attempt;
  const again = outcome === 'retry' && !delivery.isLast;
  const status = outcome === 'delivered' ? outcome : again ? 'pending' : 'failed';
  await queue.settle(delivery, status, { ...attempt, retryMs: retryDelayMs(delivery.attempts, Math.random()) });
  if (outcome === 'gone') {
    await queue.disable(delivery);
    onDisabled();
  } else if (outcome === 'retry' && delivery.isLast) {
    // It does not answer now either: what has waited as long is not tried one by one.
    await queue.giveUpExpired(delivery);
  }
}

/** Gives null for work that fails, as all of it does while Postgres is away, which is said once. */
function createPatience(logger: Pick<Logger, 'warn'>): <T>(work: Promise<T>) => Promise<T | null> {
  let away = false;
  return async (work) => {
    try {
      const done = await work;
      away = false;
      return done;
    } catch (error) {
      if (!away) logger.warn({ err: error }, 'the outbox of webhooks does not answer; deliveries wait');
      away = true;
      return null;
    }
  };
}
