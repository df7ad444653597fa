import { ChildWorkflowCancellationType, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { TaskEnding } from '../activities/contract.ts';
import { requiredSuccesses } from '../domain/min-success.ts';
import { bindingOf, type TaskOutline } from '../domain/plan-outline.ts';
import { kernel, segments } from './activities.ts';
import { goalWorkflowId, searchAttributes, workflowTaskTimeout } from './contract.ts';
import { carriedPolicy } from './goal-policy.ts';
import type { GoalRun } from './goal-run.ts';
import type { mapShardWorkflow } from './map-shard-workflow.ts';
import { concurrencyOf, runWindow } from './run-window.ts';

/** Items of one map that an execution runs as activities: some 1,500 events of its history. */
const shardItems = 500;

/** Runs a map's items: pure ones in segments, others through a window, in shards when they are many. */
export async function runMap(run: GoalRun, task: TaskOutline, items: number): Promise<TaskEnding> {
  const minSuccess = task.minSuccess ?? 1;
  const maxFailed = items - requiredSuccesses(minSuccess, items);
  const all = { from: 0, items, maxFailed };
  if (bindingOf(run.outline, task)?.execution === 'inline' && task.onFailure !== 'park')
    await runSegments(run, task, all);
  else await runApart(run, task, all);
  return { kind: 'map', items, minSuccess };
}

/** Each item as an activity of its own. */
async function runApart(run: GoalRun, task: TaskOutline, extent: Extent): Promise<void> {
  const { from, items, maxFailed } = extent;
  if (items - from > Math.min(shardItems, run.mapRoom.items)) await runShards(run, task, extent);
  else await runItems(run, task, { items: range(from, items), maxFailed });
}

/** In this execution. @returns how many failed */
function runItems(
  run: GoalRun,
  task: TaskOutline,
  { items, maxFailed }: { readonly items: readonly number[]; readonly maxFailed: number },
): Promise<number> {
  run.mapRoom.items -= items.length;
  return runWindow({ ...run, task }, items, maxFailed);
}

interface Extent {
  /** The first item. */
  readonly from: number;
  /** Where they end, exclusive. */
  readonly items: number;
  readonly maxFailed: number;
}

export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, offset) => from + offset);

async function runSegments(run: GoalRun, task: TaskOutline, { items, maxFailed }: Extent): Promise<void> {
  const ref = { goal: run.goal, taskId: task.id };
  let failed = 0;
  for (let from = 0; from < items && failed <= maxFailed;) {
    if (run.pause.isPaused) await run.pause.over();
    const { runMapSegment } = from === 0 ? kernel : segments;
    const segment = await runMapSegment({ task: ref, from, maxFailed: maxFailed - failed });
    failed += segment.failed;
    if (segment.apart) return runApart(run, task, { from, items, maxFailed: maxFailed - failed });
    const ended = segment.next - from - segment.deferred.length;
    run.policy?.onEnds({ completed: ended - segment.failed, failed: segment.failed });
    failed += await runItems(run, task, { items: segment.deferred, maxFailed: maxFailed - failed });
    from = segment.next;
    // Most of them are not quick after all.
    if (run.mapRoom.items <= 0) return runShards(run, task, { from, items, maxFailed: maxFailed - failed });
  }
}

/** One child workflow after the other, so that `maxConcurrency` holds for the whole map and no history grows long. */
async function runShards(run: GoalRun, task: TaskOutline, { from: begin, items, maxFailed }: Extent): Promise<void> {
  const binding = bindingOf(run.outline, task);
  const tools = task.tool !== undefined && binding ? { [task.tool]: binding } : {};
  const size = Math.max(shardItems, 2 * concurrencyOf(task));
  let failed = 0;
  for (let from = begin; from < items && failed <= maxFailed; from += size) {
    const to = Math.min(items, from + size);
    const { goal, repeated, pause, policy } = run;
    const shard = { goal, repeated, outline: { ...run.outline, tasks: [task], tools }, from, to };
    const workflowId = `${goalWorkflowId(run.goal.goalId)}/${task.id}/${from}`;
    if (pause.isPaused) await pause.over();
    const child = await startChild<typeof mapShardWorkflow>('mapShardWorkflow', {
      workflowId,
      workflowTaskTimeout,
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      staticSummary: `${task.title ?? task.id}: items ${from} to ${to - 1}`,
      typedSearchAttributes: [{ key: searchAttributes.tenant, value: goal.tenant }],
      args: [{ ...shard, maxFailed: maxFailed - failed, ...(policy && { policy: carriedPolicy(policy) }) }],
    });
    const ended = pause.reach.whileChild(child, () => child.result());
    const failedThere = await ended.finally(() => run.parking.leave(workflowId));
    policy?.onEnds({ completed: to - from - failedThere, failed: failedThere });
    failed += failedThere;
  }
}
