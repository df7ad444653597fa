import { expect, test } from 'vitest';
import { emptyRecord, goalView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import { startChanges, type LedgerChanges } from './goal-record.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { EventData, EventDraft, EventType } from './schemas/event.ts';
import { goalId, head } from './test-support/trial-goal.ts';

const at = '2026-01-01T00:00:00.000Z';
const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: true };
const about = { taskId: 'a', attempt: 1 };

const draft = <T extends EventType>(
  type: T,
  data: EventData[T],
  { taskId = null, attempt = 1 }: { taskId?: string | null; attempt?: number } = {},
): EventDraft => ({ type, taskId, attempt, at, data }) as EventDraft;

/** Folds what is news; answers with its types and with what it says of the budgets. */
function fold(record: GoalRecord, ...drafts: readonly EventDraft[]): { types: string[]; ledger: LedgerChanges | null } {
  const changes = startChanges(record);
  const types = drafts.flatMap((each) => {
    if (!isNews(record, each)) return [];
    reduce(record, { ...each, goalId, seq: record.state.seq + 1 }, changes);
    return [each.type];
  });
  return { types, ledger: changes.ledger };
}

function runningGoal(): GoalRecord {
  const record = emptyRecord();
  const tasks: TaskOutline[] = [{ id: 'a', kind: 'tool', tool: 'http.fetch', after: [] }];
  const outline = { revision: 1, source: 'explicit', tasks, tools: {} } as const;
  fold(record, draft('goal.submitted', { head }), draft('plan.proposed', { outline }));
  return record;
}
const parked = draft(
  'task.parked',
  { reason: 'budget', detail: 'usd of tenant: 1 of 1 spent' },
  { taskId: 'a', attempt: 0 },
);
const settled = (attempt: number): EventDraft =>
  draft('budget.settled', { actual: { usd: '0.10' } }, { ...about, attempt });

test('a parked task says what for, waits, and is queued once it is unparked', () => {
  const record = runningGoal();
  expect(fold(record, parked, parked).types).toEqual(['task.parked']);
  expect(record.tasks.get('a')).toMatchObject({
    status: 'parked',
    attempt: 0,
    waitingFor: { kind: 'budget', detail: 'usd of tenant: 1 of 1 spent', until: null },
  });
  expect(goalView(record)).toMatchObject({ status: 'running', progress: { waiting: 1, running: 0 } });
  const unparked = draft('task.unparked', { reason: 'budget' }, about);
  expect(fold(record, unparked, unparked, draft('task.started', {}, about)).types).toEqual([
    'task.unparked',
    'task.started',
  ]);
  expect(record.tasks.get('a')).toMatchObject({ status: 'running', attempt: 1, waitingFor: null });
});

test('an attempt is settled once, before its end, and nothing of one that others have followed', () => {
  const record = runningGoal();
  const retrying = draft('task.retrying', { error, nextAttemptAt: at }, about);
  expect(fold(record, draft('task.started', {}, about), settled(1), retrying)).toEqual({
    types: ['task.started', 'budget.settled', 'task.retrying'],
    ledger: { settled: [{ taskId: 'a', actual: { usd: '0.10' } }], raised: [] },
  });
  expect(fold(record, settled(1), retrying)).toEqual({ types: [], ledger: null });
  const completed = draft('task.completed', { output: 1, startedAt: at }, { ...about, attempt: 2 });
  expect(fold(record, settled(2), completed, settled(2)).types).toEqual(['budget.settled', 'task.completed']);
});

test('a budget is used up once at each limit, and raised once by an approval', () => {
  const record = runningGoal();
  const exhausted = (limit: string): EventDraft => draft('budget.exhausted', { scope: 'tenant', unit: 'usd', limit });
  expect(fold(record, exhausted('1.00'), exhausted('1.00'), exhausted('2.00')).types).toHaveLength(2);
  const raise = { approvalId: 'apr_1', scope: `goal:${goalId}`, limit: { usd: '2.00' } };
  const raised = draft('budget.raised', raise);
  expect(fold(record, raised, raised)).toEqual({
    types: ['budget.raised'],
    ledger: { settled: [], raised: [{ scope: raise.scope, limit: raise.limit }] },
  });
});

test('a question for budget does not hold the goal', () => {
  const record = runningGoal();
  const asked = {
    approvalId: 'apr_1',
    kind: 'budget',
    prompt: 'More?',
    input: {},
    required: 1,
    expiresAt: null,
  } as const;
  expect(fold(record, draft('approval.requested', asked)).types).toHaveLength(1);
  expect(record.state.status).toBe('running');
  expect(record.approvals.get('apr_1')).toMatchObject({ kind: 'budget', status: 'pending' });
});
