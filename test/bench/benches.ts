import type { Bench } from './harness/bench.ts';

/** Every bench, in the order of the report. */
export const benches: readonly Bench[] = [];
