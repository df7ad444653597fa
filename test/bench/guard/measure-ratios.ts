import type { Bench } from '../harness/bench.ts';
import type { Ratios } from './losses.ts';

/** A short run of a bench. */
export async function measureRatios(bench: Bench): Promise<Ratios> {
  const { ratios } = await bench.run({ quick: true, log: () => undefined });
  return Object.fromEntries(Object.entries(ratios).map(([name, ratio]) => [`${bench.name}.${name}`, ratio]));
}
