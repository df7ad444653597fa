import { describe, expect, test } from 'vitest';
import { draftEvent } from './draft-event.ts';
import { emptyRecord, graphView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import { restoreRecord, startChanges } from './goal-record.ts';
import { taskView } from './graph-view.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import type { TaskView } from './schemas/goal.ts';
import { fold as foldNews, goalId, head } from './test-support/trial-goal.ts';

const at = new Date('2026-01-01T00:00:10.000Z');
const startedAt = '2026-01-01T00:00:05.000Z';
const draft = <T extends EventType>(type: T, data: EventData[T], taskId: string | null = null): EventDraft =>
  draftEvent(type, data, { at, taskId });
const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'test.effect', after });
const map: TaskOutline = { ...tool('each'), kind: 'map' };

/** @returns how much was news */
const fold = (record: GoalRecord, ...drafts: readonly EventDraft[]): number => foldNews(record, drafts).length;

function recordOf(tasks: readonly TaskOutline[], ...drafts: readonly EventDraft[]): GoalRecord {
  const record = emptyRecord();
  const outline: PlanOutline = { revision: 1, source: 'explicit', tasks, tools: {} };
  fold(record, draft('goal.submitted', { head }), draft('plan.proposed', { outline }), ...drafts);
  return record;
}

const completed = (id: string): EventDraft => draft('task.completed', { output: `of ${id}`, startedAt }, id);
const cancelling = draft('goal.cancelling', { reason: null });
const cancelled = draft('goal.cancelled', { reason: null });
const task = (record: GoalRecord, id: string): TaskView | null => taskView(record, id);
const receipts = (record: GoalRecord): Record<string, TaskView['cancelReceipt']> =>
  Object.fromEntries(graphView(record)!.tasks.map(({ id, cancelReceipt }) => [id, cancelReceipt]));

describe('a receipt', () => {
  const tasks = ['before', 'aborted', 'late', 'broke', 'queued', 'never'].map((id) => tool(id));

  test('says what came of each task of a cancelled goal', () => {
    const record = recordOf(
      tasks,
      completed('before'),
      draft('task.started', {}, 'aborted'),
      cancelling,
      draft('task.cancelled', { reason: null, startedAt }, 'aborted'),
      completed('late'),
      draft('task.failed', { error: { code: 'ASTRA_TOOL_FAILED', message: '', retryable: false } }, 'broke'),
      draft('task.cancelled', { reason: null }, 'queued'),
      cancelled,
    );
    expect(receipts(record)).toEqual({
      before: null,
      aborted: 'aborted',
      late: 'finished_anyway',
      broke: 'finished_anyway',
      queued: 'not_started',
      never: 'not_started',
    });
  });

  test('is the same when the abort was recorded ahead of the cancel, and when only its end tells of the attempt', () => {
    const aborted = draft('task.cancelled', { reason: null, startedAt }, 'aborted');
    expect(receipts(recordOf(tasks, aborted, cancelling, cancelled))).toMatchObject({ aborted: 'aborted' });
  });

  test('is aborted of what the goal left behind under way', () => {
    const record = recordOf(tasks, draft('task.started', {}, 'aborted'), cancelling, cancelled);
    expect(receipts(record)).toMatchObject({ aborted: 'aborted', never: 'not_started' });
  });

  test('is null in goals that ended otherwise', () => {
    const error = { code: 'ASTRA_TASK_FAILED', message: '', retryable: false };
    const failed = recordOf(
      tasks,
      draft('task.started', {}, 'aborted'),
      draft('task.cancelled', { reason: null }, 'queued'),
      draft('goal.failed', { error }),
    );
    expect(new Set(Object.values(receipts(failed)))).toEqual(new Set([null]));
  });
});

describe('a compensation', () => {
  test('is recorded once, and its task keeps its output and its times', () => {
    const record = recordOf([tool('a')], completed('a'), cancelling);
    const before = task(record, 'a');
    const changes = startChanges(record);
    const compensated = draft('task.compensated', { output: 'of a' }, 'a');
    reduce(record, { ...compensated, goalId, seq: 5 }, changes);
    expect(task(record, 'a')).toEqual({ ...before, cancelReceipt: 'compensated' });
    expect(changes.tasks.get('a')).toMatchObject({ output: 'of a' });
    expect(fold(record, compensated, draft('task.compensation_failed', { error: failure }, 'a'))).toBe(0);
  });

  const failure = { code: 'ASTRA_TOOL_FAILED', message: 'it broke', retryable: true };

  test('that failed leaves the receipt as it was and says why', () => {
    const record = recordOf([tool('a')], completed('a'), cancelling);
    fold(record, draft('task.compensation_failed', { error: failure }, 'a'));
    expect(task(record, 'a')).toMatchObject({ cancelReceipt: null, compensationError: failure, error: null });
    expect(fold(record, draft('task.compensated', {}, 'a'))).toBe(0);
  });

  test('may follow the end of a goal, where nothing else does', () => {
    const record = recordOf([tool('a')], completed('a'), draft('goal.completed', { output: null }));
    expect(fold(record, draft('task.compensated', {}, 'a'), completed('b'), cancelling)).toBe(1);
    expect(receipts(record)).toEqual({ a: 'compensated' });
    expect(record.state.status).toBe('completed');
  });

  test('is news to a record that is behind, which the commit then finds out', () => {
    expect(isNews(recordOf([tool('a')]), draft('task.compensated', {}, 'a'))).toBe(true);
  });

  test('of items counts in their map, is recorded once an item and stores nothing of the item', () => {
    const ends = ['each.0', 'each.1'].map(completed);
    const record = recordOf([map], draft('task.started', { items: 2 }, 'each'), ...ends, completed('each'), cancelling);
    const changes = startChanges(record);
    const ofItem = draft('task.compensated', {}, 'each.0');
    reduce(record, { ...ofItem, goalId, seq: 9 }, changes);
    expect(changes.tasks.size).toBe(0);
    expect(fold(record, ofItem)).toBe(0);
    fold(record, draft('task.compensated', {}, 'each.1'), draft('task.compensated', { items: 2 }, 'each'), cancelled);
    expect(task(record, 'each')).toMatchObject({ cancelReceipt: 'compensated', map: { total: 2, compensated: 2 } });
    // As a process has it that reads the goal anew.
    const again = restoreRecord({
      ...record,
      approvals: [],
      artifacts: [],
      marks: [],
      compensated: ['each.0', 'each.1'],
    });
    expect(fold(again, ofItem)).toBe(0);
  });

  test('of a map that was aborted counts and leaves its receipt', () => {
    const record = recordOf([map], draft('task.started', { items: 2 }, 'each'), completed('each.0'), cancelling);
    fold(record, draft('task.cancelled', { reason: null }, 'each'), draft('task.compensated', { items: 1 }, 'each'));
    expect(task(record, 'each')).toMatchObject({ cancelReceipt: 'aborted', map: { completed: 1, compensated: 1 } });
  });

  test('that failed is the error of the cancelled goal', () => {
    const error = { code: 'ASTRA_COMPENSATION_FAILED', message: '1 of 1', retryable: false };
    const record = recordOf([tool('a')], completed('a'), cancelling, draft('goal.cancelled', { reason: null, error }));
    expect(record.state).toMatchObject({ status: 'cancelled', error });
  });
});
