import type { Pool } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import {
  emptyRecord,
  outlineOfTask,
  settledTask,
  type GoalRecord,
  type SettledTask,
} from '../../domain/goal-record.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import { parseTaskId } from '../../domain/ids.ts';
import { runOf } from '../../domain/plan-outline.ts';
import { postgresError } from '../../stores/postgres/postgres-error.ts';
import { readStatuses } from '../../stores/postgres/read-goal.ts';
import type { TaskOutcome } from '../contract.ts';
import type { GoalEntry } from './goal-memory.ts';
import { endedTasks, type PreparedDraft } from './record-request.ts';

/** Nothing is recorded of what the goal no longer wants. */
export const givenUp: TaskOutcome = { status: 'cancelled' };

/** Has the task begun anew, or gone, since the caller's revision of the plan? */
export const isSuperseded = (record: GoalRecord, goal: GoalRef, taskId: string): boolean => {
  if (!record.outline || record.outline.revision <= revisionOf(goal)) return false;
  const task = outlineOfTask(record, taskId);
  return task === undefined || runOf(task) > revisionOf(goal);
};

/** @throws ASTRA_UNAVAILABLE for what pg throws */
export async function orUnavailable<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw postgresError(error);
  }
}

/** @throws ASTRA_INTERNAL when a draft ends a task that the plan does not have */
export function outcomesOf(
  { record }: GoalEntry,
  goal: GoalRef,
  drafts: readonly PreparedDraft[],
): Record<string, TaskOutcome> {
  const ended = endedTasks(drafts);
  const gone = ended.filter((id) => isSuperseded(record, goal, id));
  const current = gone.length === 0 ? ended : ended.filter((id) => !gone.includes(id));
  const outcomes = pickSettled(record, current);
  const strange = current.find((id) => !outcomes[id]);
  if (strange !== undefined) throw new AstraError('ASTRA_INTERNAL', `The plan has no task "${strange}".`);
  return { ...outcomes, ...Object.fromEntries(gone.map((id) => [id, givenUp])) };
}

export async function readOutcomes(
  pool: Pool,
  goal: GoalRef,
  taskIds: readonly string[],
  options: { readonly knownSeq: number },
): Promise<Record<string, TaskOutcome>> {
  // Of an item, the end of its map decides too.
  const ids = [...new Set(taskIds.flatMap((id) => [id, parseTaskId(id).id]))];
  const statuses = await orUnavailable(readStatuses(pool, goal, ids, options));
  if (!statuses) return {};
  const record = emptyRecord();
  record.state = { ...record.state, status: statuses.goal };
  for (const [id, state] of statuses.tasks) (id.includes('.') ? record.items : record.tasks).set(id, state);
  return pickSettled(record, taskIds);
}

/** Of the tasks, those that have ended. */
export const pickSettled = (record: GoalRecord, taskIds: readonly string[]): Record<string, SettledTask> =>
  Object.fromEntries(
    taskIds.flatMap((id) => {
      const outcome = settledTask(record, id);
      return outcome ? [[id, outcome]] : [];
    }),
  );
