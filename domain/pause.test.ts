import { describe, expect, test } from 'vitest';
import { createPausePolicy } from './pause-policy.ts';
import { emptyRecord, graphView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import { approvalId } from './ids.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import { at, goalId, head } from './test-support/trial-goal.ts';

const ask = { approvalId: approvalId(goalId, 'ask'), kind: 'task', prompt: '?', input: null, required: 1 } as const;
const asked = { by: 'request', running: 'finish', shiftDeadlines: false, reason: null } as const;

// The test pairs type and data.
const draft = <T extends EventType>(type: T, data: EventData[T], second = 0, taskId: string | null = null) =>
  ({ type, taskId, attempt: 1, at: at(second), data }) as EventDraft;

function fold(record: GoalRecord, ...drafts: EventDraft[]): number {
  const news = drafts.filter((each) => {
    if (!isNews(record, each)) return false;
    reduce(record, { ...each, goalId, seq: record.state.seq + 1 });
    return true;
  });
  return news.length;
}
function recordOf(tasks: readonly TaskOutline[], ...drafts: EventDraft[]): GoalRecord {
  const record = emptyRecord();
  const outline = { revision: 1, source: 'explicit', tasks, tools: {} } as const;
  fold(record, draft('goal.submitted', { head }), draft('plan.proposed', { outline }), ...drafts);
  return record;
}
const tool = (id: string, ...after: string[]): TaskOutline => ({ id, kind: 'tool', tool: 'text.render', after });
const started = (id: string) => draft('task.started', {}, 1, id);

describe('a pause', () => {
  test('shows on the goal and on every task that has not begun, and ends with the resume', () => {
    const record = recordOf([tool('a'), tool('b'), tool('c', 'b')], started('a'));
    fold(record, draft('goal.paused', { ...asked, reason: 'lunch' }, 5));
    expect(record.state).toMatchObject({ status: 'paused', pause: { ...asked, reason: 'lunch', since: at(5) } });
    expect(graphView(record)?.tasks).toMatchObject([
      { id: 'a', status: 'running', waitingFor: null },
      { id: 'b', status: 'ready', waitingFor: { kind: 'paused', detail: 'lunch' } },
      { id: 'c', status: 'pending', waitingFor: { kind: 'paused' } },
    ]);
    fold(record, draft('goal.resumed', { by: 'request' }, 9));
    expect(record.state).toMatchObject({ status: 'running' });
    expect(record.state.pause).toBeUndefined();
  });

  test('of a paused goal is news only if it says something else', () => {
    const record = recordOf([tool('a')], draft('goal.paused', asked, 5));
    expect(fold(record, draft('goal.paused', asked, 6))).toBe(0);
    expect(fold(record, draft('goal.paused', { ...asked, running: 'hold' }, 7))).toBe(1);
    expect(record.state.pause).toMatchObject({ running: 'hold', since: at(5) });
    expect(fold(record, draft('goal.resumed', { by: 'request' }), draft('goal.resumed', { by: 'request' }))).toBe(1);
  });

  test('goes back to what the goal is by then', () => {
    const planned = recordOf([tool('a')]);
    const request = { ...ask, approvalId: approvalId(goalId, null), kind: 'plan', expiresAt: null } as const;
    fold(planned, draft('goal.paused', asked), draft('approval.requested', request));
    expect(planned.state.status).toBe('paused');
    fold(planned, draft('goal.resumed', { by: 'request' }));
    expect(planned.state.status).toBe('awaiting_approval');

    const early = emptyRecord();
    fold(
      early,
      draft('goal.submitted', { head }),
      draft('goal.paused', asked),
      draft('goal.resumed', { by: 'parent' }),
    );
    expect(early.state.status).toBe('planning');
  });

  test('gives way to a cancel and to the end', () => {
    const record = recordOf([tool('a')], draft('goal.paused', asked), draft('goal.cancelling', { reason: null }));
    expect(record.state.status).toBe('cancelling');
    expect(record.state.pause).toBeUndefined();
    expect(fold(record, draft('goal.paused', asked))).toBe(0);

    const ended = recordOf([tool('a')], draft('goal.paused', asked), draft('goal.completed', { output: 1 }));
    expect(ended.state.status).toBe('completed');
    expect(ended.state.pause).toBeUndefined();
  });

  test.each([true, false])('that shifts deadlines (%s) moves waits and approvals by as much as it takes', (shifts) => {
    const waitingFor = { kind: 'timer', detail: '60 s', until: at(60) } as const;
    const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: true };
    const record = recordOf(
      [{ id: 'nap', kind: 'wait', after: [] }, { id: 'ask', kind: 'approval', after: [] }, tool('again')],
      draft('task.started', { waitingFor }, 1, 'nap'),
      draft('approval.requested', { ...ask, expiresAt: at(30) }, 1, 'ask'),
      draft('task.retrying', { error, nextAttemptAt: at(20) }, 1, 'again'),
      draft('goal.paused', { ...asked, shiftDeadlines: shifts }, 10),
      draft('goal.resumed', { by: 'request' }, 25),
    );
    const late = shifts ? 15 : 0;
    expect(graphView(record)?.tasks.map((task) => task.waitingFor?.until)).toEqual([
      at(60 + late),
      at(30 + late),
      at(20),
    ]);
    expect(record.approvals.get(ask.approvalId)?.expiresAt).toBe(at(30 + late));
  });

  test('parks what it holds, and the next attempt is another one', () => {
    const record = recordOf([tool('a')], started('a'), draft('goal.paused', { ...asked, running: 'hold' }));
    const parked = draft('task.parked', { reason: 'paused', detail: 'lunch' }, 2, 'a');
    expect(fold(record, parked, parked)).toBe(1);
    expect(record.tasks.get('a')).toMatchObject({ status: 'parked', waitingFor: { kind: 'paused', detail: 'lunch' } });
    expect(record.state.progress).toMatchObject({ running: 0, waiting: 1 });
    const unparked = draft('task.unparked', { reason: 'paused' }, 3, 'a');
    expect(fold(record, unparked, unparked)).toBe(1);
    expect(record.tasks.get('a')).toMatchObject({ status: 'queued', waitingFor: null });
    expect(fold(record, { ...started('a'), attempt: 2 })).toBe(1);
  });
});

describe('a policy', () => {
  test('pauses when more than the share has failed, once enough has ended, and counts anew after that', () => {
    const policy = createPausePolicy({ failureRate: { over: 0.5, atLeast: 4 } });
    expect(policy.onEnds({ completed: 0, failed: 3 })).toBeNull();
    expect(policy.onEnds({ completed: 0, failed: 1 })).toBe('4 of 4 tasks and items failed.');
    policy.restart();
    expect(policy.onEnds({ completed: 2, failed: 2 })).toBeNull();
    expect(policy.onEnds({ completed: 0, failed: 1 })).toBe('3 of 5 tasks and items failed.');
  });

  test('pauses at the fifth attempt in a row at one tool that looks like an outage', () => {
    const policy = createPausePolicy({ outage: true });
    const fails = (tool: string, code = 'ASTRA_TOOL_TIMEOUT') => policy.onAttempt(tool, code);
    for (let attempt = 1; attempt < 5; attempt += 1) expect(fails('a.b')).toBeNull();
    expect(fails('c.d')).toBeNull();
    expect(policy.onAttempt('a.b', null)).toBeNull();
    for (let attempt = 1; attempt < 5; attempt += 1) expect(fails('a.b')).toBeNull();
    expect(fails('a.b', 'ASTRA_TOOL_INPUT_INVALID')).toBeNull();
    for (let attempt = 1; attempt < 5; attempt += 1) expect(fails('a.b')).toBeNull();
    expect(fails('a.b')).toContain('The last 5 attempts at a.b failed');
  });

  test('that does not ask for it does not pause', () => {
    const policy = createPausePolicy({ budget: true });
    for (let attempt = 0; attempt < 9; attempt += 1) expect(policy.onAttempt('a.b', 'ASTRA_TOOL_FAILED')).toBeNull();
    expect(policy.onEnds({ completed: 0, failed: 99 })).toBeNull();
  });
});
