import { parseTaskId } from '../../domain/ids.ts';
import type { ErrorInfo } from '../../domain/schemas/common.ts';
import type { Output } from '../../domain/schemas/event.ts';
import type { TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import { draft } from './drafts.ts';

interface Compensation {
  /** Null: the effect was taken back. */
  readonly error: ErrorInfo | null;
  /** Of a map: how many were. */
  readonly items?: number;
}

/** Records what came of a task's compensation; the first record decides. Durable when it resolves. */
export async function recordCompensation(
  recorder: Recorder,
  { goal, taskId }: TaskRef,
  { error, items }: Compensation,
): Promise<void> {
  // An item's row stays as it is; a task's is written anew, and with it its output.
  const isItem = parseTaskId(taskId).index !== null;
  const recorded = isItem ? null : (await recorder.outputs(goal, [taskId]))[taskId];
  const data = { ...inlineOf(recorded), ...(items !== undefined && { items }) };
  const about = { taskId };
  await recorder.record(goal, [
    error === null
      ? draft('task.compensated', data, about)
      : draft('task.compensation_failed', { ...data, error }, about),
  ]);
}

const inlineOf = (output: Output | null | undefined) => (output && 'output' in output ? { output: output.output } : {});
