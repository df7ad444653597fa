import { emptyRecord, isNews, reduce, type GoalRecord } from '../goal-view.ts';
import type { PlanOutline, TaskOutline } from '../plan-outline.ts';
import type { GoalId } from '../schemas/common.ts';
import type { EventData, EventDraft, EventType, GoalEvent } from '../schemas/event.ts';
import type { GoalHead } from '../schemas/goal.ts';

// A goal to try reducers with, and the drafts that are folded into it.

export const goalId = 'gol_0000000000000001' as GoalId;
export const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
export const head: GoalHead = {
  id: goalId,
  tenant: 'default',
  objective: 'try',
  agentId: null,
  priority: 3,
  labels: {},
  input: {},
  template: null,
  parentGoalId: null,
  forkedFrom: null,
  createdAt: at(0),
};

export function draft<T extends EventType>(
  type: T,
  data: EventData[T],
  about: { taskId?: string; attempt?: number; second?: number } = {},
): EventDraft {
  const { taskId = null, attempt = 1, second = 10 } = about;
  return { type, taskId, attempt, at: at(second), data } as EventDraft;
}

export const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'text.render', after });
export const outlineOf = (tasks: readonly TaskOutline[], revision = 1): PlanOutline => ({
  revision,
  source: 'explicit',
  tasks,
  tools: {
    'text.render': { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10, maxAttempts: 1 },
  } as unknown as PlanOutline['tools'],
});

/** Folds what is news, as the recorder does; answers with the events. */
export function fold(record: GoalRecord, drafts: readonly EventDraft[]): GoalEvent[] {
  const events: GoalEvent[] = [];
  for (const each of drafts) {
    if (!isNews(record, each)) continue;
    const event = { ...each, goalId, seq: record.state.seq + 1 };
    reduce(record, event);
    events.push(event);
  }
  return events;
}

export function recordOf(tasks: readonly TaskOutline[], ...drafts: EventDraft[]): GoalRecord {
  const record = emptyRecord();
  fold(record, [draft('goal.submitted', { head }), draft('plan.proposed', { outline: outlineOf(tasks) }), ...drafts]);
  return record;
}
