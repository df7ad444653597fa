import type { KernelActivities } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';

/** Records that a task waits; the record knows how many attempts at it have begun. */
export function createParkTask(recorder: Recorder): KernelActivities['parkTask'] {
  return async ({ task: { goal, taskId }, reason, detail, attempted }) => {
    const recorded = await recorder.outcome(goal, taskId);
    if (recorded) return recorded;
    const known = (await recorder.task(goal, taskId))?.attempt ?? 0;
    const attempt = Math.max(attempted, known);
    await recorder.record(goal, [draft('task.parked', { reason, detail }, { taskId, attempt })]);
    return { status: 'parked', attempted: attempt };
  };
}
