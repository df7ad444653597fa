import { setTimeout as sleep } from 'node:timers/promises';
import { AstraError } from '../../domain/errors.ts';

const firstWaitMs = 100;
const longestWaitMs = 5_000;

/**
 * Repeats `work` while a store it needs is away: that is no fault of the task, so it costs it no attempt. Ends when the
 * signal aborts.
 * @throws what `work` throws; the signal's reason once it has aborted: what is cancelled meanwhile has not failed
 */
export async function whileAway<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(2 * waitMs, longestWaitMs)) {
    try {
      return await work();
    } catch (error) {
      const isAway = error instanceof AstraError && error.code === 'ASTRA_UNAVAILABLE';
      if (!isAway) throw error;
      signal.throwIfAborted();
    }
    await sleep(waitMs, undefined, { signal }).catch(() => undefined);
  }
}
