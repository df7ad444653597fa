import { LRUCache } from 'lru-cache';
import { AstraError } from '../../domain/errors.ts';
import { evaluateList, referencesOf, type Scope } from '../../domain/expressions.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import { parseTaskId } from '../../domain/ids.ts';
import type { Json, JsonObject } from '../../domain/json.ts';
import { limits } from '../../domain/limits.ts';
import type { MapTask, Task } from '../../domain/schemas/plan.ts';
import type { TaskOutline } from '../../domain/plan-outline.ts';
import type { Output } from '../../domain/schemas/event.ts';
import type { RecordedPlan, Recorder } from '../projection/recorder.ts';
import type { Values } from './values.ts';

/** A task, or an item of a map, as its plan has it. */
export interface PlannedTask {
  readonly id: string;
  readonly task: Task;
  readonly outline: TaskOutline;
  /** Set for an item of a map. */
  readonly item: number | null;
}

/** What a segment knows and the record does not yet. */
export interface Unrecorded {
  readonly outputs: Map<string, Output | null>;
  /** Of a goal of which nothing is recorded. */
  readonly goal?: { readonly input: JsonObject; readonly plan: RecordedPlan };
}

/** Reads what a task's expressions refer to. */
export interface TaskScopes {
  /** @throws ASTRA_INTERNAL when the plan has no such task */
  find(goal: GoalRef, taskId: string, unrecorded?: Unrecorded): Promise<PlannedTask>;
  /** The scope of `expressions`: only what they refer to is read. */
  of(goal: GoalRef, expressions: Json, unrecorded?: Unrecorded): Promise<Scope>;
  /** The list a map runs over. */
  itemsOf(goal: GoalRef, map: MapTask, unrecorded?: Unrecorded): Promise<readonly Json[]>;
}

type PlanIndex = ReadonlyMap<string, Pick<PlannedTask, 'task' | 'outline'>>;

/** Recorded plans do not change and the recorder keeps them, so each is indexed once. */
const indices = new WeakMap<RecordedPlan, PlanIndex>();

function indexOf(recorded: RecordedPlan): PlanIndex {
  const known = indices.get(recorded);
  if (known) return known;
  const outlines = new Map(recorded.outline.tasks.map((outline) => [outline.id, outline]));
  const index: PlanIndex = new Map(
    recorded.plan.tasks.flatMap((task) => {
      const outline = outlines.get(task.id);
      return outline ? [[task.id, { task, outline }] as const] : [];
    }),
  );
  indices.set(recorded, index);
  return index;
}

/** Lists of maps that are being worked on; all items of a map ask for the same one. Roughly measured. */
const cachedListBytes = 64 * 1024 * 1024;

const nothing: Readonly<Record<string, Output | null>> = {};

export function createTaskScopes(recorder: Recorder, values: Values): TaskScopes {
  const lists = new LRUCache<string, readonly Json[]>({ maxSize: cachedListBytes });
  let { forgotten } = recorder;

  async function basisOf(goal: GoalRef, unrecorded?: Unrecorded): Promise<{ input: JsonObject; params: JsonObject }> {
    if (unrecorded?.goal) return { input: unrecorded.goal.input, params: unrecorded.goal.plan.params };
    const [{ input }, { params }] = await Promise.all([recorder.head(goal), recorder.plan(goal)]);
    return { input, params };
  }

  const scopes: TaskScopes = {
    async find(goal, taskId, unrecorded) {
      const { id, index } = parseTaskId(taskId);
      const found = indexOf(unrecorded?.goal?.plan ?? (await recorder.plan(goal))).get(id);
      if (!found) throw new AstraError('ASTRA_INTERNAL', `The plan has no task "${taskId}".`);
      return { id: taskId, item: index, ...found };
    },
    async of(goal, expressions, unrecorded) {
      const ids = [...referencesOf(expressions).tasks];
      const fresh = unrecorded?.outputs;
      const old = fresh ? ids.filter((id) => !fresh.has(id)) : ids;
      const [{ input, params }, recorded] = await Promise.all([
        basisOf(goal, unrecorded),
        old.length > 0 ? recorder.outputs(goal, old) : nothing,
      ]);
      const outputs = ids.map((id) => fresh?.get(id) ?? recorded[id]);
      const resolved = await values.toValues(goal.tenant, outputs, { maxBytes: limits.scopeBytes });
      const tasks = Object.fromEntries(ids.map((id, at) => [id, { output: resolved[at] ?? null }]));
      return { goal: { input }, tasks, params };
    },
    async itemsOf(goal, map, unrecorded) {
      const key = `${goal.tenant}/${goal.goalId}/${revisionOf(goal)}/${map.id}`;
      if (recorder.forgotten !== forgotten) {
        forgotten = recorder.forgotten;
        lists.clear();
      }
      const known = lists.get(key);
      if (known) return known;
      const items = evaluateList(map.over, await scopes.of(goal, `{{ ${map.over} }}`, unrecorded));
      lists.set(key, items, { size: 1 + JSON.stringify(items).length });
      return items;
    },
  };
  return scopes;
}
