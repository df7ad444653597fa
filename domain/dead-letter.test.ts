import { expect, test } from 'vitest';
import { startChanges, type Changes } from './goal-record.ts';
import { emptyRecord, isNews, reduce, type GoalRecord } from './goal-view.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import { goalId, head } from './test-support/trial-goal.ts';

const at = '2026-01-01T00:00:00.000Z';
const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: true };
const draft = <T extends EventType>(
  type: T,
  data: EventData[T],
  { taskId = null, attempt = 1 }: { taskId?: string | null; attempt?: number } = {},
): EventDraft => ({ type, taskId, attempt, at, data }) as EventDraft;

/** Folds what is news; answers with its types and with which tasks are parked, or are no more. */
function fold(record: GoalRecord, ...drafts: readonly EventDraft[]): { types: string[]; parked: Changes['parked'] } {
  const changes = startChanges(record);
  const types = drafts.flatMap((each) => {
    if (!isNews(record, each)) return [];
    reduce(record, { ...each, goalId, seq: record.state.seq + 1 }, changes);
    return [each.type];
  });
  return { types, parked: changes.parked };
}

const tasks: readonly TaskOutline[] = [
  { id: 'a', kind: 'tool', title: 'The first', tool: 'http.fetch', after: [], onFailure: 'park' },
  { id: 'each', kind: 'map', tool: 'http.fetch', after: [], onFailure: 'park' },
];
function runningGoal(): GoalRecord {
  const record = emptyRecord();
  const outline = { revision: 1, source: 'explicit', tasks, tools: {} } as const;
  fold(record, draft('goal.submitted', { head }), draft('plan.proposed', { outline }));
  return record;
}
const about = (attempt: number, taskId = 'a') => ({ taskId, attempt });
const started = (attempt: number): EventDraft => draft('task.started', {}, about(attempt));
const parked = (attempt: number, taskId = 'a'): EventDraft =>
  draft('task.parked', { reason: 'failed', detail: error.code, error }, about(attempt, taskId));
const unparked = (attempt: number): EventDraft => draft('task.unparked', { reason: 'failed' }, about(attempt));
const completed = (attempt: number): EventDraft =>
  draft('task.completed', { output: 1, startedAt: at }, about(attempt));

test('a task that is parked for a failure shows it, after which attempt, and is listed', () => {
  const record = runningGoal();
  const { types, parked: listed } = fold(record, started(1), parked(1), parked(1));
  expect(types).toEqual(['task.started', 'task.parked']);
  expect(record.tasks.get('a')).toMatchObject({
    status: 'parked',
    attempt: 1,
    error,
    waitingFor: { kind: 'dead_letter', detail: 'ASTRA_TOOL_FAILED', until: null },
  });
  expect(listed?.get('a')).toEqual({
    tool: 'http.fetch',
    title: 'The first',
    reason: 'failed',
    detail: 'ASTRA_TOOL_FAILED',
    error,
    attempt: 1,
    at,
  });
});

test('it is not listed any more once it goes on, ends, is cancelled with its goal, or begins anew', () => {
  const outline = {
    revision: 2,
    source: 'explicit',
    tasks: tasks.map((task) => ({ ...task, run: 2 })),
    tools: {},
  } as const;
  const change = { outline, added: [], removed: [], replaced: ['a', 'each'], reason: null, by: 'ann', changeId: 'c' };
  const ways: readonly EventDraft[] = [
    unparked(2),
    started(2),
    draft('task.failed', { error }, about(1)),
    draft('goal.cancelled', { reason: null }),
    draft('plan.amended', change),
  ];
  for (const way of ways) {
    const record = runningGoal();
    fold(record, started(1), parked(1));
    expect([...(fold(record, way).parked ?? [])], way.type).toEqual([['a', null]]);
  }
  const record = runningGoal();
  fold(record, parked(1, 'each.3'));
  expect([...(fold(record, draft('plan.amended', change)).parked ?? [])]).toEqual([['each.3', null]]);
});

test('a commit without parked tasks has none to write', () => {
  expect(fold(runningGoal(), started(1), completed(1)).parked).toBeNull();
});

test('an attempt that was taken for lost neither completes the task nor parks it again', () => {
  const record = runningGoal();
  fold(record, started(1), parked(1));
  expect(fold(record, completed(1)).types).toEqual([]);
  expect(fold(record, unparked(2), started(2), parked(1)).types).toEqual(['task.unparked', 'task.started']);
  expect(fold(record, completed(2)).types).toEqual(['task.completed']);
});

test('a retry that fails before it has begun is parked anew', () => {
  const record = runningGoal();
  fold(record, started(1), parked(1));
  expect(fold(record, unparked(2), parked(2)).types).toEqual(['task.unparked', 'task.parked']);
  expect(record.tasks.get('a')).toMatchObject({ status: 'parked', attempt: 2 });
});
