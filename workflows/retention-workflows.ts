import {
  condition,
  continueAsNew,
  defineSignal,
  isCancellation,
  log,
  proxyActivities,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import type { RetentionActivities } from '../activities/contract.ts';
import { retentionWorkflow as retention, type ErasureWorkflowInput } from './contract.ts';

/** What is away is waited for; a deletion is given up never. */
const retry = { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute' } as const;
const { sweep } = proxyActivities<RetentionActivities>({ startToCloseTimeout: '5 minutes', retry });
const { erase } = proxyActivities<RetentionActivities>({
  startToCloseTimeout: '6 hours',
  heartbeatTimeout: '10 seconds',
  retry,
});

/** Of one history: a few hundred events. */
const rounds = 50;
const wakeSignal = defineSignal(retention.wake);

/** Looks each minute, or when it is told to, for goals whose time has come. */
export async function retentionWorkflow(): Promise<void> {
  let woken = false;
  setHandler(wakeSignal, () => {
    woken = true;
  });
  for (let round = 0; round < rounds; round += 1) {
    woken = false;
    await sweep().catch(logFailure);
    await condition(() => woken, '1 minute');
  }
  await continueAsNew<typeof retentionWorkflow>();
}

/** One deletion, from its request to its end. How far it is the stores know. */
export async function erasureWorkflow({ deletionId }: ErasureWorkflowInput): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const { done, waitSeconds } = await erase({ deletionId });
    if (done) return;
    await sleep(waitSeconds * 1_000);
  }
  await continueAsNew<typeof erasureWorkflow>({ deletionId });
}

/** A fault of the code: the next round, or the next version, may do better. */
function logFailure(error: unknown): void {
  if (isCancellation(error)) throw error;
  log.error('a sweep failed', { error });
}
