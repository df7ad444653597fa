import { condition, sleep } from '@temporalio/workflow';
import type { Pause } from './pause.ts';

/**
 * Waits until something is the case or the time is up, which pauses that shift deadlines put off.
 * @param options.summary shown by Temporal's timer
 * @returns false: the time is up
 */
export async function inTime(
  pause: Pause,
  seconds: number,
  { isMet, summary }: { readonly isMet?: () => boolean; readonly summary?: string },
): Promise<boolean> {
  let leftMs = seconds * 1_000;
  for (;;) {
    const { shiftedMs } = pause;
    if (isMet === undefined) await sleep(leftMs, summary === undefined ? {} : { summary });
    else if (await condition(isMet, leftMs)) return true;
    if (pause.isShifting) await condition(() => !pause.isShifting || isMet?.() === true);
    if (isMet?.() === true) return true;
    leftMs = pause.shiftedMs - shiftedMs;
    if (leftMs <= 0) return false;
  }
}
