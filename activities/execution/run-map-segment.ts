import { AstraError } from '../../domain/errors.ts';
import { itemTaskId } from '../../domain/ids.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { KernelActivities, MapSegmentArgs, MapSegmentResult } from '../contract.ts';
import { inlineEnd } from './inline-end.ts';
import { runItems, type MapItems } from './run-items.ts';
import { segmentMs, type SegmentDeps } from './segment.ts';

/** Items handed to the pool in one message: a fraction of a segment's time for tools of some 0.1 ms. */
const batchItems = 500;

/**
 * Runs a map's quick items in order for up to half a second and records all that ended in one commit.
 * Items that an earlier segment recorded, whose answer was lost, are not run again.
 */
export function createRunMapSegment(deps: SegmentDeps): KernelActivities['runMapSegment'] {
  const { recorder, scopes, budgets } = deps;
  return async (args) => {
    const { goal, taskId } = args.task;
    if (await budgets.scopesOf(goal)) return { next: args.from, failed: 0, deferred: [], apart: true };
    const planned = await scopes.find(goal, taskId);
    const { task } = planned;
    if (task.kind !== 'map') throw new AstraError('ASTRA_INTERNAL', `Task "${taskId}" is no map.`);
    const items = await scopes.itemsOf(goal, task);
    const { outline } = await recorder.plan(goal);
    return runBatches(deps, {
      args,
      task,
      items,
      scope: await scopes.of(goal, task.task.input ?? {}),
      retries: retryOf(planned.outline, bindingOf(outline, planned.outline)).maxAttempts > 1,
      startedAt: new Date().toISOString(),
    });
  };
}

interface MapSegment extends MapItems {
  readonly args: MapSegmentArgs;
  /** Has the item's author asked for retries? They are an activity's to do. */
  readonly retries: boolean;
  readonly startedAt: string;
}

async function runBatches(deps: SegmentDeps, segment: MapSegment): Promise<MapSegmentResult> {
  const { task, from, maxFailed } = segment.args;
  const deadline = performance.now() + segmentMs;
  const ended: Ended = { drafts: [], failed: [], deferred: [] };
  let next = from;
  let stopped = false;
  while (!stopped && next < segment.items.length && ended.failed.length <= maxFailed) {
    const batch = await openItems(deps, segment, next);
    ended.failed.push(...batch.failed);
    const notReached = await runBatch(deps, segment, { open: batch.open, deadline }, ended);
    next = notReached ?? batch.end;
    stopped = notReached !== null || performance.now() >= deadline;
  }
  if (ended.drafts.length > 0) await deps.recorder.record(task.goal, ended.drafts);
  // What ended beyond `next` is recorded and will be found there.
  const before = (item: number): boolean => item < next;
  return { next, failed: ended.failed.filter(before).length, deferred: ended.deferred.filter(before) };
}

interface Ended {
  readonly drafts: EventDraft[];
  readonly failed: number[];
  readonly deferred: number[];
}

/** Adds to `ended` what came of the items. @returns the first that was not reached; null when all were */
async function runBatch(
  deps: SegmentDeps,
  segment: MapSegment,
  { open, deadline }: { readonly open: readonly number[]; readonly deadline: number },
  ended: Ended,
): Promise<number | null> {
  let notReached: number | null = null;
  for (const [item, result] of await runItems(deps.inlinePool, segment, open, deadline)) {
    if ('deferred' in result && result.deferred === 'not_reached') notReached ??= item;
    else if ('deferred' in result || ('error' in result && segment.retries && result.error.retryable)) {
      ended.deferred.push(item);
    } else {
      if ('error' in result) ended.failed.push(item);
      const about = { taskId: itemTaskId(segment.args.task.taskId, item), startedAt: segment.startedAt };
      ended.drafts.push(await inlineEnd(deps.values, segment.args.task.goal.tenant, about, result));
    }
  }
  return notReached;
}

interface Batch {
  readonly open: readonly number[];
  /** Recorded as failed by an earlier segment. */
  readonly failed: readonly number[];
  readonly end: number;
}

async function openItems({ recorder }: SegmentDeps, { args, items }: MapSegment, from: number): Promise<Batch> {
  const end = Math.min(items.length, from + batchItems);
  const batch = Array.from({ length: end - from }, (_, offset) => from + offset);
  const idOf = (item: number): string => itemTaskId(args.task.taskId, item);
  const recorded = await recorder.outcomes(args.task.goal, batch.map(idOf));
  return {
    open: batch.filter((item) => !recorded[idOf(item)]),
    failed: batch.filter((item) => recorded[idOf(item)]?.status === 'failed'),
    end,
  };
}
