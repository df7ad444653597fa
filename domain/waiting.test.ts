import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyRecord, graphView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import { isFinalTask } from './goal-record.ts';
import { taskView } from './graph-view.ts';
import { approvalId } from './ids.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import type { TaskView } from './schemas/goal.ts';
import { waitingKindNames, type WaitingKind } from './schemas/waiting.ts';
import { randomTasks } from '../test/support/random-tasks.ts';
import { goalId, head } from './test-support/trial-goal.ts';

const start = Date.UTC(2026, 0, 1);
const at = (second: number): string => new Date(start + second * 1_000).toISOString();
const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: true };

function draft<T extends EventType>(type: T, data: EventData[T], about: { taskId?: string; attempt?: number } = {}) {
  const { taskId = null, attempt = 1 } = about;
  return { type, taskId, attempt, at: at(10), data } as EventDraft;
}
const binding = { workerClass: 'sandbox', execution: 'activity', effect: 'idempotent', timeoutSeconds: 10 } as const;
const outlineOf = (tasks: readonly TaskOutline[]): PlanOutline => ({
  revision: 1,
  source: 'explicit',
  tasks,
  tools: { 'shell.run': binding },
});
function fold(record: GoalRecord, drafts: readonly EventDraft[]): void {
  for (const each of drafts) {
    if (isNews(record, each)) reduce(record, { ...each, goalId, seq: record.state.seq + 1 });
  }
}
function recordOf(tasks: readonly TaskOutline[], ...drafts: EventDraft[]): GoalRecord {
  const record = emptyRecord();
  fold(record, [draft('goal.submitted', { head }), draft('plan.proposed', { outline: outlineOf(tasks) }), ...drafts]);
  return record;
}
const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'shell.run', after });
const waitOf = (record: GoalRecord, id: string): TaskView['waitingFor'] | undefined => taskView(record, id)?.waitingFor;

const question = { prompt: 'go?', input: null, required: 1, expiresAt: at(99) } as const;
const asks = (taskId: string | undefined, kind: 'plan' | 'task' | 'risky_task'): EventDraft =>
  draft(
    'approval.requested',
    { ...question, kind, approvalId: approvalId(goalId, taskId ?? null) },
    taskId === undefined ? {} : { taskId },
  );
const answers = (taskId: string | undefined, status: 'approved' | 'rejected'): EventDraft =>
  draft(
    'approval.decided',
    { approvalId: approvalId(goalId, taskId ?? null), subject: 'ann', decision: status, comment: null, status },
    taskId === undefined ? {} : { taskId },
  );

/** What may be told of a task at any time; what is no news then changes nothing. */
const ofTask = (taskId: string): readonly EventDraft[] => [
  draft('task.started', {}, { taskId }),
  draft('task.started', {}, { taskId, attempt: 2 }),
  draft('task.started', { waitingFor: { kind: 'timer', detail: '60 s', until: at(70) } }, { taskId }),
  draft('task.started', { waitingFor: { kind: 'event', detail: 'go', until: null } }, { taskId }),
  draft('task.retrying', { error, nextAttemptAt: at(30) }, { taskId }),
  draft('task.completed', { output: 1, startedAt: at(9) }, { taskId }),
  draft('task.failed', { error, startedAt: at(9) }, { taskId }),
  draft('task.skipped', { reason: 'condition' }, { taskId }),
  draft('task.parked', { reason: 'budget', detail: 'usd of tenant' }, { taskId }),
  draft('task.parked', { reason: 'paused', detail: 'lunch' }, { taskId }),
  draft('task.unparked', { reason: 'budget' }, { taskId }),
  draft('task.queued', { waitingFor: { kind: 'concurrency', detail: 'few', until: null } }, { taskId, attempt: 9 }),
  draft('task.cancelled', { reason: null }, { taskId }),
  asks(taskId, 'task'),
  asks(taskId, 'risky_task'),
  answers(taskId, 'approved'),
  answers(taskId, 'rejected'),
];
const ofGoal: readonly EventDraft[] = [
  asks(undefined, 'plan'),
  answers(undefined, 'approved'),
  draft('plan.approved', { revision: 1, by: 'ann' }),
  draft('plan.rejected', { revision: 1, by: 'ann', comment: null }),
  draft('goal.paused', { by: 'request', reason: null, running: 'finish', shiftDeadlines: true }),
  draft('goal.resumed', { by: 'request' }),
  draft('goal.queued', { waitingFor: { kind: 'rate_limit', detail: 'slow', until: null } }),
  draft('goal.admitted', {}),
  draft('goal.cancelling', { reason: null }),
  draft('goal.completed', { output: 1 }),
  draft('goal.failed', { error }),
  draft('goal.cancelled', { reason: null }),
];

function lives(): fc.Arbitrary<GoalRecord> {
  return randomTasks().chain((shapes) => {
    const tasks = shapes.map(({ id, after }) => tool(id, ...after));
    const ofTasks = tasks.flatMap(({ id }) => ofTask(id));
    const told =
      ofTasks.length === 0
        ? fc.constantFrom(...ofGoal)
        : fc.oneof(
            { weight: 9, arbitrary: fc.constantFrom(...ofTasks) },
            { weight: 1, arbitrary: fc.constantFrom(...ofGoal) },
          );
    return fc.array(told, { maxLength: 40 }).map((drafts) => recordOf(tasks, ...drafts));
  });
}

const seen = new Set<WaitingKind>();

test('a task says why it waits exactly when it neither runs nor is over, whatever happens to its goal', () => {
  fc.assert(
    fc.property(lives(), (record) => {
      for (const task of graphView(record)!.tasks) {
        const { status, waitingFor } = task;
        if (waitingFor) {
          seen.add(waitingFor.kind);
          expect(waitingKindNames).toContain(waitingFor.kind);
          expect(waitingFor.detail).not.toBe('');
        }
        if (isFinalTask(status)) expect(waitingFor).toBeNull();
        // A task that waits by its nature runs meanwhile.
        else if (status === 'running') expect([undefined, 'timer', 'event']).toContain(waitingFor?.kind);
        else expect(waitingFor).not.toBeNull();
        expect(taskView(record, task.id)).toEqual(task);
      }
    }),
    { numRuns: 500 },
  );
  const kinds = [
    'approval',
    'budget',
    'concurrency',
    'dependency',
    'event',
    'goal_ending',
    'paused',
    'rate_limit',
    'retry',
    'timer',
    'worker',
  ];
  expect([...seen].toSorted()).toEqual(kinds);
});

describe('a task that has not begun', () => {
  test('waits for a worker of its tool’s class once nothing else keeps it', () => {
    const record = recordOf([tool('a'), { id: 'b', kind: 'wait', after: [] }]);
    expect(waitOf(record, 'a')).toEqual({ kind: 'worker', detail: 'sandbox', until: null });
    expect(waitOf(record, 'b')).toEqual({ kind: 'worker', detail: 'kernel', until: null });
  });

  test('does not wait for what will not happen once its goal has failed, or is being cancelled', () => {
    const tasks = [tool('bad'), tool('slow'), tool('next', 'slow'), tool('free')];
    const failed = draft('task.failed', { error }, { taskId: 'bad' });
    const record = recordOf(tasks, failed, draft('task.started', {}, { taskId: 'slow' }));
    const ending = { kind: 'goal_ending', detail: 'the goal has failed', until: null };
    expect([waitOf(record, 'next'), waitOf(record, 'free'), waitOf(record, 'slow')]).toEqual([ending, ending, null]);
    fold(record, [draft('goal.cancelling', { reason: null })]);
    expect(waitOf(record, 'free')?.detail).toBe('the goal is being cancelled');
    expect(graphView(record)?.tasks.map(({ status }) => status)).toEqual(['failed', 'running', 'pending', 'ready']);
  });

  test('whose dependencies were all skipped waits for nothing else', () => {
    const skipped = draft('task.skipped', { reason: 'condition' }, { taskId: 'a' });
    const record = recordOf([tool('a'), tool('b', 'a')], skipped);
    expect(waitOf(record, 'b')).toEqual({ kind: 'dependency', detail: 'a', until: null });
  });
});

test('an item of a map says why it waits as a task does', () => {
  const map: TaskOutline = { id: 'each', kind: 'map', tool: 'shell.run', after: [] };
  const record = recordOf(
    [map],
    draft('task.started', { items: 2 }, { taskId: 'each' }),
    draft('task.retrying', { error, nextAttemptAt: at(30) }, { taskId: 'each.1' }),
  );
  expect(waitOf(record, 'each.1')).toEqual({ kind: 'retry', detail: 'ASTRA_TOOL_FAILED', until: at(30) });
  fold(record, [draft('goal.failed', { error })]);
  expect(waitOf(record, 'each.1')).toBeNull();
});
