import type { KernelActivities } from '../contract.ts';
import { draft } from '../execution/drafts.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { GoalSlots } from './goal-slots.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly slots: GoalSlots;
}

/** For goals that are recorded already: those that wait, and those that were planned or approved first. */
export function createTakeSlots({ recorder, slots }: Deps): KernelActivities['takeSlots'] {
  return async ({ goal }) => {
    const head = await recorder.head(goal);
    const answer = slots.mayApply(head) ? await slots.ask(head) : null;
    if (answer?.outcome === 'rejected') return { error: answer.error };
    if (answer?.outcome === 'waits') {
      const { waitingFor, waitSeconds } = answer;
      await recorder.record(goal, [draft('goal.queued', { waitingFor })]);
      return { waitSeconds };
    }
    // It may stand in a line of limits that apply no more.
    if (answer === null) await slots.giveBack(goal);
    await recorder.record(goal, [draft('goal.admitted', {})]);
    return answer === null ? null : 'held';
  };
}
