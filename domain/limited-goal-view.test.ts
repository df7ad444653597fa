import { describe, expect, test } from 'vitest';
import { emptyRecord, graphView, type GoalRecord } from './goal-view.ts';
import type { TaskStatus } from './schemas/goal.ts';
import { at, draft, fold, head, recordOf, tool } from './test-support/trial-goal.ts';

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
