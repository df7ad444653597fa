import type { KernelActivities } from '../contract.ts';
import { asRecorded, settleLost, type LostCallDeps } from './settle-lost.ts';
import { parkedSince, parkFailed } from './park-failed.ts';

/** Parks a call that its workflow has seen fail: no attempt lived to say so itself. */
export function createParkLost(deps: LostCallDeps): KernelActivities['parkLost'] {
  const { recorder } = deps;
  return async ({ task, error, attempted, unparked }) => {
    const recorded = (await recorder.outcome(task.goal, task.taskId)) ?? (await parkedSince(recorder, task, attempted));
    if (recorded) return recorded;
    const known = (await recorder.task(task.goal, task.taskId))?.attempt ?? 0;
    // An attempt may be lost before it is noted as begun.
    const call = { ref: task, number: Math.max(attempted + 1, known), unparked };
    return parkFailed(recorder, call, { error: asRecorded(error), settled: await settleLost(deps, task) });
  };
}
