import { setTimeout as sleep } from 'node:timers/promises';
import type { LoopResult } from './closed-loop.ts';

/**
 * Calls at random, independent times (a Poisson process), whatever becomes of the calls before. A latency counts from
 * when a call was due, so that a stall is not hidden by the calls that it held back.
 */
export async function runOpenLoop(
  call: (dueAt: number) => Promise<unknown>,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<LoopResult> {
  const latenciesMs: number[] = [];
  const calls: Promise<void>[] = [];
  const begun = performance.now();
  const timed = async (dueAt: number): Promise<void> => {
    await call(dueAt);
    latenciesMs.push(performance.now() - dueAt);
  };
  for (let dueAt = begun; dueAt < begun + seconds * 1_000;) {
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    calls.push(timed(dueAt));
    dueAt += (-Math.log(1 - Math.random()) * 1_000) / perSecond;
  }
  await Promise.all(calls);
  return { perSecond: (latenciesMs.length * 1_000) / (performance.now() - begun), latenciesMs };
}
