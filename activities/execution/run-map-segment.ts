import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import type { Scope } from '../../domain/expressions.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { bindingOf } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { MapTask } from '../../domain/schemas/plan.ts';
import type { KernelActivities, MapSegmentArgs, MapSegmentResult } from '../contract.ts';
import type { InlineResult } from '../tools/inline-pool.ts';
import { draft } from './drafts.ts';
import { renderInput } from './tool-call.ts';
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
  for (const [item, result] of await runItems(deps, segment, open, deadline)) {
    if ('deferred' in result && result.deferred === 'not_reached') notReached ??= item;
    else if ('deferred' in result || ('error' in result && segment.retries && result.error.retryable)) {
      ended.deferred.push(item);
    } else {
      if ('error' in result) ended.failed.push(item);
      ended.drafts.push(await endOf(deps, segment, item, result));
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

/** What came of each item, in order; an input that cannot be evaluated is a failure like any other. */
async function runItems(
  { inlinePool }: SegmentDeps,
  { task, items, scope }: MapSegment,
  open: readonly number[],
  deadline: number,
): Promise<readonly (readonly [item: number, result: InlineResult])[]> {
  const { tool, input = {} } = task.task;
  const inputs = open.map((item) => tryRender(input, { ...scope, item: items[item] ?? null, index: item }));
  const rendered = inputs.flatMap((rendering) => ('input' in rendering ? [rendering.input] : []));
  const budgetMs = Math.max(1, deadline - performance.now());
  const answers = (await inlinePool.runMany(tool, rendered, { sliceMs, budgetMs })).values();
  return open.map((item, place) => {
    const rendering = inputs[place];
    const result = rendering && 'error' in rendering ? rendering : answers.next().value;
    return [item, result ?? { deferred: 'not_reached' }];
  });
}

function tryRender(input: JsonObject, scope: Scope): { readonly input: JsonObject } | { readonly error: AstraError } {
  try {
    return { input: renderInput(input, scope) };
  } catch (error) {
    if (error instanceof AstraError) return { error };
    throw error;
  }
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
