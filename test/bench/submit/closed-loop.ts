export interface LoopResult {
  readonly perSecond: number;
  readonly latenciesMs: readonly number[];
}

/** As many callers as `concurrency`, each calling again as soon as it is answered, for some seconds. */
export async function runClosedLoop(
  call: () => Promise<unknown>,
  { concurrency, seconds }: { readonly concurrency: number; readonly seconds: number },
): Promise<LoopResult> {
  const latenciesMs: number[] = [];
  const begun = performance.now();
  const endsAt = begun + seconds * 1_000;
  const lane = async (): Promise<void> => {
    for (let now = begun; now < endsAt;) {
      const calledAt = now;
      await call();
      now = performance.now();
      latenciesMs.push(now - calledAt);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return { perSecond: (latenciesMs.length * 1_000) / (performance.now() - begun), latenciesMs };
}
