import { describe, expect, test } from 'vitest';
import { acceptedStateOf, isHeld, requireStartTime, startTimeOf } from './goal-beginning.ts';
import { goalHeadOf } from './goal-head.ts';
import { acceptedState, emptyRecord } from './goal-record.ts';
import { isNews, reduce } from './goal-view.ts';
import type { GoalId } from './schemas/common.ts';
import type { EventData, EventType, GoalEvent } from './schemas/event.ts';
import { goalSubmissionSchema, type GoalSubmission } from './schemas/goal.ts';

const goalId = 'gol_0123456789abcdefghij' as GoalId;
const other = 'gol_9876543210abcdefghij' as GoalId;
const submittedAt = '2026-01-01T00:00:00.000Z';
const submission = (fields: Partial<GoalSubmission> = {}): GoalSubmission => ({ objective: 'later', ...fields });

describe('a submission', () => {
  test('says when its goal begins by a time or by a delay, not by both', () => {
    expect(startTimeOf(submission(), submittedAt)).toBeNull();
    expect(startTimeOf(submission({ delaySeconds: 90 }), submittedAt)).toBe('2026-01-01T00:01:30.000Z');
    expect(startTimeOf(submission({ startAt: '2026-02-01T00:00:00Z' }), submittedAt)).toBe('2026-02-01T00:00:00.000Z');
    const both = goalSubmissionSchema.safeParse(submission({ delaySeconds: 1, startAt: '2026-02-01T00:00:00Z' }));
    expect(both.error?.issues[0]?.path).toEqual(['delaySeconds']);
  });

  test('begins at most a year ahead, and a time that has passed means at once', () => {
    const now = Date.parse(submittedAt);
    const check = (startAt: string) => () => requireStartTime(submission({ startAt }), now);
    expect(check('2027-01-01T00:00:00Z')).not.toThrow();
    expect(check('2020-01-01T00:00:00Z')).not.toThrow();
    expect(check('2027-01-01T00:00:01Z')).toThrow(expect.objectContaining({ code: 'ASTRA_BODY_INVALID' }));
  });

  test('is held back only by what says so', () => {
    expect(isHeld(submission({ input: { a: 1 }, labels: { b: 'c' } }))).toBe(false);
    expect(acceptedStateOf({ submission: submission(), submittedAt })).toBe(acceptedState);
    for (const how of [{ delaySeconds: 0 }, { cascadeId: 'x' }, { dependsOnGoalIds: [] }]) {
      expect(isHeld(submission(how))).toBe(true);
    }
  });

  test('shows from the beginning what its goal waits for', () => {
    const stateOf = (fields: Partial<GoalSubmission>) =>
      acceptedStateOf({ submission: submission(fields), submittedAt }).waitingFor;
    const until = '2026-01-01T00:01:00.000Z';
    expect(stateOf({ delaySeconds: 60 })).toEqual({ kind: 'timer', detail: 'startAt', until });
    expect(stateOf({ startAt: '2025-01-01T00:00:00Z' })).toBeNull();
    expect(stateOf({ delaySeconds: 60, dependsOnGoalIds: [other] })).toEqual({
      kind: 'dependency',
      detail: other,
      until: null,
    });
    const head = goalHeadOf({
      tenant: 't',
      goalId,
      submission: submission({ delaySeconds: 60, cascadeId: 'night', dependsOnGoalIds: [other] }),
      submittedAt,
      parentGoalId: null,
    });
    expect(head).toMatchObject({ startAt: until, cascadeId: 'night', dependsOnGoalIds: [other] });
  });
});

describe('a goal that waits', () => {
  const head = goalHeadOf({ tenant: 't', goalId, submission: submission(), submittedAt, parentGoalId: null });
  const waitingFor = { kind: 'timer', detail: 'startAt', until: '2026-01-02T00:00:00.000Z' } as const;

  function record(...events: readonly (readonly [EventType, object])[]) {
    const folded = emptyRecord();
    const news: boolean[] = [];
    for (const [type, data] of events) {
      const draft = { type, taskId: null, attempt: 1, at: submittedAt, data } as GoalEvent;
      const isNew = isNews(folded, draft);
      news.push(isNew);
      if (isNew) reduce(folded, { ...draft, goalId, seq: folded.state.seq + 1 });
    }
    return { state: folded.state, news };
  }
  const submitted = ['goal.submitted', { head } satisfies EventData['goal.submitted']] as const;
  const waiting = ['goal.waiting', { waitingFor } satisfies EventData['goal.waiting']] as const;

  test('is accepted until it is released, and says once what it waits for', () => {
    const { state, news } = record(submitted, waiting, waiting);
    expect(news).toEqual([true, true, false]);
    expect(state).toMatchObject({ status: 'accepted', waitingFor });
    expect(record(submitted, waiting, ['goal.released', {}]).state).toMatchObject({
      status: 'planning',
      waitingFor: null,
    });
    expect(record(submitted, ['goal.released', {}]).news, 'it did not wait').toEqual([true, false]);
  });

  test('waits for nothing any more once it is being cancelled or has ended', () => {
    const cancelling = record(submitted, waiting, ['goal.cancelling', { reason: null }], waiting);
    expect(cancelling.news).toEqual([true, true, true, false]);
    expect(cancelling.state).toMatchObject({ status: 'cancelling', waitingFor: null });
    const error = { code: 'ASTRA_DEPENDENCY_FAILED', message: 'no', retryable: false };
    const failed = record(submitted, waiting, ['goal.failed', { error }]);
    expect(failed.state).toMatchObject({ status: 'failed', waitingFor: null, error });
  });
});
