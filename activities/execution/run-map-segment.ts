import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { renderTemplate, type Scope } from '../../domain/expressions.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { MapTask } from '../../domain/schemas/plan.ts';
import type { KernelActivities, MapSegmentArgs, MapSegmentResult } from '../contract.ts';
import type { InlineResult } from '../tools/inline-pool.ts';
import { draft } from './drafts.ts';
import { segmentMs, sliceMs, type SegmentDeps } from './run-segment.ts';

/** Items handed to the pool in one message: a fraction of a segment's time for tools of some 0.1 ms. */
const batchItems = 500;

/**
 * Runs a map's quick items in order for up to half a second and records all that ended in one commit.
 * Items that an earlier segment recorded, whose answer was lost, are not run again.
 */
export function createRunMapSegment(deps: SegmentDeps): KernelActivities['runMapSegment'] {
  const { recorder, scopes } = deps;
  return async (args) => {
    const { goal, taskId } = args.task;
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

interface MapSegment {
  readonly args: MapSegmentArgs;
  readonly task: MapTask;
  readonly items: readonly Json[];
  readonly scope: Scope;
  /** Has the item's author asked for retries? They are an activity's to do. */
  readonly retries: boolean;
  readonly startedAt: string;
}

async function runBatches(deps: SegmentDeps, segment: MapSegment): Promise<MapSegmentResult> {
  const { task, from, maxFailed } = segment.args;
  const deadline = performance.now() + segmentMs;
  const failed: number[] = [];
  const deferred: number[] = [];
  const drafts: EventDraft[] = [];
  let next = from;
  let reached = true;
  while (reached && next < segment.items.length && failed.length <= maxFailed && performance.now() < deadline) {
    const batch = await openItems(deps, segment, next);
    const results = await runItems(deps, segment, batch.open, deadline);
    next = batch.end;
    failed.push(...batch.failed);
    for (const [index, result] of results.entries()) {
      const item = batch.open[index] ?? next;
      if ('deferred' in result && result.deferred === 'not_reached') {
        next = Math.min(next, item);
        reached = false;
      } else if ('deferred' in result || ('error' in result && segment.retries && result.error.retryable)) {
        deferred.push(item);
      } else {
        if ('error' in result) failed.push(item);
        drafts.push(await endOf(deps, segment, item, result));
      }
    }
  }
  if (drafts.length > 0) await deps.recorder.record(task.goal, drafts);
  // What ended beyond `next` is recorded and will be found there.
  const before = (item: number): boolean => item < next;
  return { next, failed: failed.filter(before).length, deferred: deferred.filter(before) };
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

/** One result for each item, in order; an input that cannot be evaluated is a failure like any other. */
async function runItems(
  { inlinePool }: SegmentDeps,
  { task, items, scope }: MapSegment,
  open: readonly number[],
  deadline: number,
): Promise<readonly InlineResult[]> {
  const results: InlineResult[] = [];
  const inputs: JsonObject[] = [];
  const places: number[] = [];
  for (const [place, item] of open.entries()) {
    try {
      // Rendering keeps the shape: an object stays an object.
      const input = renderTemplate(task.task.input ?? {}, { ...scope, item: items[item] ?? null, index: item });
      inputs.push(input as JsonObject);
      places.push(place);
    } catch (error) {
      if (!(error instanceof AstraError)) throw error;
      results[place] = { error };
    }
  }
  const budgetMs = Math.max(1, deadline - performance.now());
  const answers = inputs.length > 0 ? await inlinePool.runMany(task.task.tool, inputs, { sliceMs, budgetMs }) : [];
  for (const [index, answer] of answers.entries()) results[places[index] ?? index] = answer;
  return results;
}

async function endOf(
  { values }: SegmentDeps,
  { args, startedAt }: MapSegment,
  item: number,
  result: Exclude<InlineResult, { readonly deferred: unknown }>,
): Promise<EventDraft> {
  const { goal, taskId } = args.task;
  const about = { taskId: itemTaskId(taskId, item) };
  if ('error' in result) return draft('task.failed', { error: toErrorInfo(result.error), startedAt }, about);
  return draft('task.completed', { ...(await values.toOutput(goal.tenant, result.output)), startedAt }, about);
}
