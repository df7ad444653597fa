import { outlineOfTask, type GoalRecord } from '../../domain/goal-record.ts';
import type { GoalEvent } from '../../domain/schemas/event.ts';
import { itemTypeOf, taskTypeOf } from '../../domain/task-type.ts';
import type { GoalWrite } from '../../stores/goal-write.ts';

/** Is told of a task, or item of a map, that has completed: how long its last attempt took. */
export type OnDuration = (tenant: string, taskType: string, seconds: number) => void;

/** Tells of each task that a commit completed and whose type means something. */
export function tellDurations({ goal, events }: GoalWrite, record: GoalRecord, onDuration: OnDuration): void {
  for (const { event } of events) {
    if (event.type === 'task.completed') tellDuration(goal.tenant, event, { record, onDuration });
  }
}

function tellDuration(
  tenant: string,
  { taskId, at, data }: Extract<GoalEvent, { type: 'task.completed' }>,
  { record, onDuration }: { readonly record: GoalRecord; readonly onDuration: OnDuration },
): void {
  const outline = outlineOfTask(record, taskId);
  if (!outline) return;
  const type = outline.id === taskId ? taskTypeOf(outline) : itemTypeOf(outline);
  const seconds = (Date.parse(at) - Date.parse(data.startedAt)) / 1_000;
  if (type !== undefined && seconds >= 0) onDuration(tenant, type, seconds);
}
