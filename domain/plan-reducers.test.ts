import { describe, expect, test } from 'vitest';
import { emptyRecord, isNews, reduce, type GoalRecord } from './goal-view.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import type { GoalHead } from './schemas/goal.ts';
import { goalId, head } from './test-support/trial-goal.ts';

const approvalId = 'apr_0000000000000001.01';

function draft<T extends EventType>(type: T, data: EventData[T], taskId: string | null = null): EventDraft {
  return { type, taskId, attempt: 1, at: '2026-01-01T00:00:01.000Z', data } as EventDraft;
}
const task = (id: string, run = 1): TaskOutline => ({ id, kind: 'wait', after: [], ...(run > 1 && { run }) });
const outline = (revision: number, ...tasks: TaskOutline[]): PlanOutline => ({
  revision,
  source: 'explicit',
  tasks,
  tools: {},
});

/** Folds what is news, as the recorder does. */
function fold(record: GoalRecord, ...drafts: readonly EventDraft[]): GoalRecord {
  for (const each of drafts) if (isNews(record, each)) reduce(record, { ...each, goalId, seq: record.state.seq + 1 });
  return record;
}
const running = (about: Partial<GoalHead> = {}): GoalRecord =>
  fold(
    emptyRecord(),
    draft('goal.submitted', { head: { ...head, ...about } }),
    draft('plan.proposed', { outline: outline(1, task('a'), task('b')) }),
  );
const amended = (about: Partial<EventData['plan.amended']> = {}): EventDraft =>
  draft('plan.amended', {
    outline: outline(2, task('a', 2), task('b')),
    added: [],
    removed: [],
    replaced: ['a'],
    reason: null,
    by: 'ada',
    changeId: 'c1',
    ...about,
  });
const error = { code: 'ASTRA_PLAN_CONFLICT', message: 'too late', retryable: false };
const rejected = (about: Partial<EventData['plan.rejected']>): EventDraft =>
  draft('plan.rejected', { revision: 1, by: 'approval', comment: null, changeId: 'c1', error, ...about });

describe('a change that people are asked about', () => {
  const asked = (): GoalRecord =>
    fold(
      running(),
      draft('approval.requested', {
        approvalId,
        kind: 'plan',
        prompt: 'Change it?',
        input: null,
        required: 1,
        expiresAt: null,
        change: { id: 'c1', baseRevision: 1, revision: null, error: null },
      }),
    );
  const changeOf = (record: GoalRecord) => record.approvals.get(approvalId)?.change;

  test('leaves the goal running', () => {
    const { state, approvals } = asked();
    expect(state).toMatchObject({ status: 'running', plan: { revision: 1 } });
    expect(approvals.get(approvalId)).toMatchObject({ kind: 'plan', status: 'pending', taskId: null });
  });

  test('says which revision it has become', () => {
    expect(changeOf(fold(asked(), amended({ approvalId })))).toMatchObject({ revision: 2, error: null });
  });

  test('says why it was not made, once, and the goal goes on', () => {
    const record = fold(asked(), rejected({ approvalId }));
    expect(changeOf(record)).toMatchObject({ revision: null, error });
    expect(record.state.status).toBe('running');
    expect(isNews(record, rejected({ approvalId }))).toBe(false);
    expect(isNews(record, rejected({ changeId: 'c2' }))).toBe(true);
    // The plan itself is still to be decided.
    expect(isNews(record, draft('plan.approved', { revision: 1, by: 'policy' }))).toBe(true);
  });

  test('that was made is not rejected any more', () => {
    expect(isNews(fold(asked(), amended({ approvalId })), rejected({ approvalId }))).toBe(false);
  });

  test('is closed when the goal ends', () => {
    const record = fold(asked(), draft('goal.completed', { output: null }));
    expect(record.approvals.get(approvalId)?.status).toBe('cancelled');
  });
});

describe('replans', () => {
  test('are counted, made and refused ones, and anew when the goal is tried again', () => {
    const record = running({ onTaskFailure: 'replan', maxReplans: 5 });
    expect(record.state.replans).toEqual({ used: 0, limit: 5 });
    fold(record, rejected({ failedTask: 'a', changeId: 'r1' }), amended({ failedTask: 'a', changeId: 'r2' }));
    expect(record.state.replans).toEqual({ used: 2, limit: 5 });
    fold(
      record,
      draft('goal.failed', { error }),
      draft('goal.retried', {
        run: 2,
        outline: outline(3, task('a', 3), task('b', 3)),
        restarted: ['a', 'b'],
        by: 'ada',
        changeId: 'c9',
      }),
    );
    expect(record.state.replans).toEqual({ used: 0, limit: 5 });
  });

  test('are not shown of other goals', () => {
    expect(fold(running(), amended()).state).not.toHaveProperty('replans');
  });
});
