import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { isFinalTask } from '../../domain/goal-record.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { Output } from '../../domain/schemas/event.ts';
import { goalKey, type GoalWrite, type RecordedPlan } from '../../stores/goal-write.ts';
import { readItems, readPlan, readTasks, type RecordedTask } from '../../stores/postgres/read-goal.ts';

/**
 * What expressions are made of: plans and outputs. Once recorded they never change, so what is in memory is right.
 * All reads throw what pg throws.
 */
export interface RecordedValues {
  /** Keeps what a commit has recorded. */
  remember(write: GoalWrite): void;
  /** Null for a task that ended without output, or has not ended. */
  outputs(goal: GoalRef, taskIds: readonly string[]): Promise<Record<string, Output | null>>;
  /** Of the items 0 … `items`-1. */
  itemOutputs(goal: GoalRef, mapId: string, items: number): Promise<readonly (Output | null)[]>;
  /** Null when there is none. */
  plan(goal: GoalRef): Promise<RecordedPlan | null>;
  /** Reads the values of these goals, by `goalKey`, again. */
  forget(isGone: (key: string) => boolean): void;
}

/** Objects take some three times the memory of their text: 10,000 tasks 4 MiB (Node 24). */
const planBytes = (jsonChars: number): number => 3 * jsonChars;

/** @param options.maxBytes of memory for outputs, and as much for plans */
export function createRecordedValues(pool: Pool, options: { readonly maxBytes: number }): RecordedValues {
  const kept = new LRUCache<string, { readonly output: Output | null }>({ maxSize: options.maxBytes });
  const plans = new LRUCache<string, RecordedPlan>({ maxSize: options.maxBytes });
  /** With a new revision of the plan a task may begin anew: what was read before is read again. */
  const planKey = (goal: GoalRef): string => `${goalKey(goal)}/${revisionOf(goal)}`;
  const keyOf = (goal: GoalRef, taskId: string): string => `${planKey(goal)}/${taskId}`;

  const keep = (goal: GoalRef, taskId: string, output: Output | null, sizeBytes: number): void => {
    kept.set(keyOf(goal, taskId), { output }, { size: 200 + sizeBytes });
  };

  /** Reads those that memory does not have; `read` may find others too. */
  async function outputsOf(
    goal: GoalRef,
    taskIds: readonly string[],
    read: (unknown: readonly string[]) => Promise<readonly RecordedTask[]>,
  ): Promise<ReadonlyMap<string, Output | null>> {
    const found = new Map<string, Output | null>();
    for (const id of taskIds) {
      const known = kept.get(keyOf(goal, id));
      if (known) found.set(id, known.output);
    }
    const unknown = taskIds.filter((id) => !found.has(id));
    for (const { taskId, state, output } of unknown.length > 0 ? await read(unknown) : []) {
      if (!isFinalTask(state.status)) continue;
      found.set(taskId, output);
      keep(goal, taskId, output, JSON.stringify(output).length);
    }
    return found;
  }

  return {
    remember({ goal: { tenant, goalId }, state, plan, tasks }) {
      const goal = { tenant, goalId, revision: state.plan?.revision ?? 1 };
      for (const { taskId, status, output, outputJson, artifactJson } of tasks) {
        if (isFinalTask(status)) keep(goal, taskId, output, (outputJson ?? artifactJson ?? '').length);
      }
      if (plan)
        plans.set(planKey(goal), plan.recorded, { size: planBytes(plan.planJson.length + plan.outlineJson.length) });
    },

    async outputs(goal, taskIds) {
      const found = await outputsOf(goal, taskIds, (unknown) => readTasks(pool, goal, unknown));
      return Object.fromEntries(taskIds.map((id) => [id, found.get(id) ?? null]));
    },

    async itemOutputs(goal, mapId, items) {
      const taskIds = Array.from({ length: items }, (_, index) => itemTaskId(mapId, index));
      const found = await outputsOf(goal, taskIds, () => readItems(pool, goal, mapId));
      return taskIds.map((id) => found.get(id) ?? null);
    },

    async plan(goal) {
      const known = plans.get(planKey(goal));
      if (known) return known;
      const plan = await readPlan(pool, goal, revisionOf(goal));
      if (plan) plans.set(planKey(goal), plan, { size: planBytes(JSON.stringify(plan).length) });
      return plan;
    },

    forget(isGone) {
      for (const key of [...plans.keys()]) if (isGone(key)) plans.delete(key);
      // Of a task, after its goal's.
      for (const key of [...kept.keys()]) if (isGone(key.slice(0, key.lastIndexOf('/')))) kept.delete(key);
    },
  };
}
