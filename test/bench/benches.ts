import { cancelBench } from './benches/cancel.ts';
import { executionBench } from './benches/execution.ts';
import { overloadBench } from './benches/overload.ts';
import { readsBench } from './benches/reads.ts';
import { recoveryBench } from './benches/recovery.ts';
import { startupBench } from './benches/startup.ts';
import { streamsBench } from './benches/streams.ts';
import { submitBench } from './benches/submit.ts';
import { leakBench } from './benches/leak.ts';
import { scaleBench } from './benches/scale.ts';
import { schedulingBench } from './benches/scheduling.ts';
import type { Bench } from './harness/bench.ts';

/** Every bench, in the order of the report. */
export const benches: readonly Bench[] = [
  executionBench,
  schedulingBench,
  readsBench,
  streamsBench,
  submitBench,
  overloadBench,
  recoveryBench,
  cancelBench,
  startupBench,
  scaleBench,
  leakBench,
];
