import type { EventDraft } from '../../domain/schemas/event.ts';
import type { TaskOutcome, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';

/** Nothing is recorded of a goal that has ended; its last task is given up with it. */
export const givenUp: TaskOutcome = { status: 'cancelled' };

/** Records a task's end and answers with what is recorded: an earlier record wins. Durable when it resolves. */
export async function recordEnd(
  recorder: Recorder,
  { goal, taskId }: TaskRef,
  ...drafts: readonly EventDraft[]
): Promise<TaskOutcome> {
  const { outcomes } = await recorder.record(goal, drafts);
  return outcomes[taskId] ?? givenUp;
}
