import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  timeoutMs: number;
  /** Says that waiting has no sense any more, by the error to throw. */
  hopeless?: () => Error | null;
}

/** Repeats a probe until it resolves. Fails with the probe's last error after the time-out. */
export async function waitUntil(probe: () => Promise<void>, options: WaitOptions): Promise<void> {
  const deadline = Date.now() + options.timeoutMs;
  for (let pauseMs = 25; ; pauseMs = Math.min(pauseMs * 1.5, 250)) {
    try {
      await probe();
      return;
    } catch (error) {
      const hopeless = options.hopeless?.() ?? null;
      if (hopeless !== null) throw hopeless;
      if (Date.now() > deadline) throw error;
    }
    await sleep(pauseMs);
  }
}
