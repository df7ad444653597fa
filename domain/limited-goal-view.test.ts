import { describe, expect, test } from 'vitest';
import { emptyRecord, graphView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { GoalId } from './schemas/common.ts';
import type { EventData, EventDraft, EventType, GoalEvent } from './schemas/event.ts';
import type { GoalHead, TaskStatus } from './schemas/goal.ts';

const goalId = 'gol_0000000000000001' as GoalId;
const head: GoalHead = {
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
  createdAt: '2026-01-01T00:00:00.000Z',
};
const at = (second: number): string => new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();

function draft<T extends EventType>(
  type: T,
  data: EventData[T],
  about: { taskId?: string; attempt?: number; second?: number } = {},
): EventDraft {
  const { taskId = null, attempt = 1, second = 10 } = about;
  return { type, taskId, attempt, at: at(second), data } as EventDraft;
}

const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'text.render', after });
const outlineOf = (tasks: readonly TaskOutline[], revision = 1): PlanOutline => ({
  revision,
  source: 'explicit',
  tasks,
  tools: {
    'text.render': { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10, maxAttempts: 1 },
  } as unknown as PlanOutline['tools'],
});

/** Folds what is news, as the recorder does; answers with the events. */
function fold(record: GoalRecord, drafts: readonly EventDraft[]): GoalEvent[] {
  const events: GoalEvent[] = [];
  for (const each of drafts) {
    if (!isNews(record, each)) continue;
    const event = { ...each, goalId, seq: record.state.seq + 1 };
    reduce(record, event);
    events.push(event);
  }
  return events;
}
function recordOf(tasks: readonly TaskOutline[], ...drafts: EventDraft[]): GoalRecord {
  const record = emptyRecord();
  fold(record, [draft('goal.submitted', { head }), draft('plan.proposed', { outline: outlineOf(tasks) }), ...drafts]);
  return record;
}
const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false };
const statuses = (record: GoalRecord): Record<string, TaskStatus> =>
  Object.fromEntries(graphView(record)!.tasks.map(({ id, status }) => [id, status]));

describe('what a limit keeps back', () => {
  const waitingFor = { kind: 'concurrency', detail: 'per-customer', until: null } as const;
  const queued = draft('goal.queued', { waitingFor });

  test('is a goal that is accepted and says what it waits for, as its tasks do, until it is admitted', () => {
    const record = recordOf([tool('a'), tool('b', 'a')], queued);
    expect(record.state).toMatchObject({ status: 'accepted', startedAt: null, waitingFor });
    const [a, b] = graphView(record)!.tasks;
    expect(a).toMatchObject({ status: 'pending', waitingFor });
    expect(b).toMatchObject({ status: 'pending', waitingFor: { kind: 'dependency', detail: 'a' } });
    expect(fold(record, [queued])).toEqual([]);
    fold(record, [draft('goal.admitted', {}, { second: 40 })]);
    expect(record.state).toMatchObject({ status: 'running', startedAt: at(40), waitingFor: null });
    expect(statuses(record)).toEqual({ a: 'queued', b: 'pending' });
    expect(fold(record, [draft('goal.admitted', {})])).toEqual([]);
  });

  test('is recorded again when what it waits for changes, and shows no more once it has ended', () => {
    const record = recordOf([tool('a')], queued);
    const later = { kind: 'rate_limit', detail: 'per-customer', until: at(60) } as const;
    expect(fold(record, [draft('goal.queued', { waitingFor: later })])).toHaveLength(1);
    expect(record.state.waitingFor).toEqual(later);
    fold(record, [draft('goal.cancelling', { reason: null }), queued]);
    expect(record.state.status).toBe('cancelling');
    fold(record, [draft('goal.cancelled', { reason: null })]);
    expect(record.state).toMatchObject({ status: 'cancelled', waitingFor: null });
  });

  test('is a goal that a model has yet to plan, too', () => {
    const record = emptyRecord();
    fold(record, [draft('goal.submitted', { head }), queued]);
    expect(record.state).toMatchObject({ status: 'accepted', waitingFor });
    fold(record, [draft('goal.admitted', {})]);
    expect(record.state).toMatchObject({ status: 'planning', startedAt: null, waitingFor: null });
  });

  test('is a call that is put off: no attempt has begun', () => {
    const putOff = (attempt: number) => draft('task.queued', { waitingFor }, { taskId: 'a', attempt });
    const record = recordOf([tool('a')], putOff(1));
    expect(record.tasks.get('a')).toMatchObject({ status: 'queued', attempt: 0, waitingFor, startedAt: null });
    expect(fold(record, [putOff(1)])).toEqual([]);
    fold(record, [draft('task.started', {}, { taskId: 'a', attempt: 1 })]);
    expect(record.tasks.get('a')).toMatchObject({ status: 'running', attempt: 1, waitingFor: null });
    // It comes late: the attempt has begun.
    expect(fold(record, [putOff(1)])).toEqual([]);
    fold(record, [draft('task.retrying', { error, nextAttemptAt: at(30) }, { taskId: 'a' }), putOff(2)]);
    expect(record.tasks.get('a')).toMatchObject({ status: 'queued', attempt: 1, waitingFor });
  });
});
