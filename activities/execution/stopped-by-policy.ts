import { toErrorInfo } from '../../domain/errors.ts';
import type { ExecuteTaskAnswer, TaskRef } from '../contract.ts';
import type { Recorder } from '../projection/recorder.ts';
import type { ToolRegistry } from '../tools/registry.ts';
import { policyDenied, type AskPolicy } from './ask-policy.ts';
import { draft } from './drafts.ts';
import { recordEnd } from './record-end.ts';
import type { PlannedTask } from './task-scope.ts';

interface Deps {
  readonly recorder: Recorder;
  readonly tools: Pick<ToolRegistry, 'get'>;
  readonly askPolicy: AskPolicy;
}

/**
 * Policy may have changed since the goal was planned. What it has come to deny does not run any more; what it has come to
 * ask about is asked about, but for a map under way and a task whose first attempt was let run.
 */
export async function stoppedByPolicy(
  { recorder, askPolicy, tools }: Deps,
  ref: TaskRef,
  { planned, number, cleared }: { readonly planned: PlannedTask; readonly number: number; readonly cleared: boolean },
): Promise<ExecuteTaskAnswer | null> {
  const { tool = ref.taskId } = planned.outline;
  const { decision } = await askPolicy(ref.goal, planned.outline, tools.get(tool)?.manifest);
  if (decision === 'deny') {
    const error = toErrorInfo(policyDenied(tool));
    return recordEnd(recorder, ref, draft('task.failed', { error }, { taskId: ref.taskId, attempt: number }));
  }
  const asks = decision === 'ask' && !cleared && number === 1 && planned.item === null;
  return asks ? { status: 'unapproved' } : null;
}
