import { AstraError, toErrorInfo } from '../../domain/errors.ts';
import { itemTaskId } from '../../domain/ids.ts';
import { requiredSuccesses } from '../../domain/min-success.ts';
import { bindingOf, type TaskOutline } from '../../domain/plan-outline.ts';
import { retryOf } from '../../domain/retry.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import { draft } from './drafts.ts';
import type { InlineOutcome } from './follow-graph.ts';
import { isWanted } from './is-wanted.ts';
import { inlineEnd } from './inline-end.ts';
import { mapFailed, mapOutput } from './map-end.ts';
import { runItems } from './run-items.ts';
import type { Segment, SegmentDeps } from './segment.ts';
import type { Values } from './values.ts';

/** Longer maps have segments of their own. */
const mostItems = 500;

/**
 * A whole map of quick items within a segment: it begins, runs and ends there, or nothing of it is kept.
 * @returns null: it is too long, or an item is not quick after all
 */
export async function runQuickMap(
  { scopes, values, inlinePool }: SegmentDeps,
  { goal, outline, unrecorded }: Segment,
  task: TaskOutline,
  { deadline, startedAt }: { readonly deadline: number; readonly startedAt: string },
): Promise<InlineOutcome> {
  const { task: map } = await scopes.find(goal, task.id, unrecorded);
  if (map.kind !== 'map') throw new AstraError('ASTRA_INTERNAL', `Task "${task.id}" is no map.`);
  if (!(await isWanted(scopes, goal, map, unrecorded))) {
    return [draft('task.skipped', { reason: 'condition' }, { taskId: task.id })];
  }
  const items = await scopes.itemsOf(goal, map, unrecorded);
  if (items.length > mostItems) return null;
  const scope = await scopes.of(goal, map.task.input ?? {}, unrecorded);
  const places = items.map((_, index) => index);
  const results = await runItems(inlinePool, { task: map, items, scope }, places, deadline);
  const retries = retryOf(task, bindingOf(outline, task)).maxAttempts > 1;
  const ends: EventDraft[] = [];
  for (const [item, result] of results) {
    // Not quick after all, or to be tried again: an activity's to do.
    if ('deferred' in result || ('error' in result && retries && result.error.retryable)) return null;
    ends.push(await inlineEnd(values, goal.tenant, { taskId: itemTaskId(task.id, item), startedAt }, result));
  }
  const started = draft('task.started', { items: items.length }, { taskId: task.id });
  return [started, ...ends, await endOfMap(values, goal.tenant, task, { ends, startedAt })];
}

async function endOfMap(
  values: Values,
  tenant: string,
  { id: taskId, minSuccess = 1 }: TaskOutline,
  { ends, startedAt }: { readonly ends: readonly EventDraft[]; readonly startedAt: string },
): Promise<EventDraft> {
  const items = ends.length;
  const outputs = ends.map((end) => (end.type === 'task.completed' ? end.data : null));
  const completed = outputs.filter((output) => output !== null).length;
  if (completed < requiredSuccesses(minSuccess, items)) {
    const first = ends.flatMap((end) => (end.type === 'task.failed' ? [end.data.error] : []))[0];
    return draft('task.failed', { error: toErrorInfo(mapFailed({ completed, items }, first)), startedAt }, { taskId });
  }
  return draft('task.completed', { ...(await mapOutput(values, tenant, outputs)), startedAt }, { taskId });
}
