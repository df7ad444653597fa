import { describe, expect, test } from 'vitest';
import { emptyRecord, isNews, reduce, type GoalRecord } from '../goal-view.ts';
import { taskView } from '../graph-view.ts';
import type { TaskOutline } from '../plan-outline.ts';
import type { EventDraft } from '../schemas/event.ts';
import { at, draft, goalId, head } from '../test-support/trial-goal.ts';

const approvalId = 'apr_0000000000000001.ask';

const tool = (id: string): TaskOutline => ({ id, kind: 'tool', tool: 'text.render', after: [] });
const tools = {
  'text.render': { workerClass: 'tools', execution: 'inline', effect: 'none', timeoutSeconds: 10 },
} as const;

/** Folds what is news, as the recorder does. */
function fold(record: GoalRecord, drafts: readonly EventDraft[]): void {
  for (const each of drafts) if (isNews(record, each)) reduce(record, { ...each, goalId, seq: record.state.seq + 1 });
}
function recordOf(tasks: readonly TaskOutline[], ...drafts: EventDraft[]): GoalRecord {
  const record = emptyRecord();
  const outline = { revision: 1, source: 'explicit', tasks, tools } as const;
  fold(record, [draft('goal.submitted', { head }), draft('plan.proposed', { outline }), ...drafts]);
  return record;
}

describe('approvals', () => {
  const ask: TaskOutline = { id: 'ask', kind: 'approval', after: [] };
  const asked = { approvalId, kind: 'task', prompt: 'go?', input: null, required: 2, expiresAt: at(99) } as const;
  const vote = (subject: string, status: 'pending' | 'approved'): EventDraft =>
    draft('approval.decided', { approvalId, subject, decision: 'approved', comment: null, status }, { taskId: 'ask' });

  test('keep who passed a vote on to whom', () => {
    const passed = (subject: string, to: string): EventDraft =>
      draft('approval.delegated', { approvalId, subject, to, comment: null }, { taskId: 'ask' });
    const record = recordOf([ask], draft('approval.requested', asked, { taskId: 'ask' }), passed('ann', 'bob'));
    expect(isNews(record, passed('ann', 'cid'))).toBe(false);
    fold(record, [passed('bob', 'cid'), vote('cid', 'approved')]);
    expect(record.approvals.get(approvalId)?.delegations).toEqual([
      { from: 'ann', to: 'bob', comment: null, at: at(10) },
      { from: 'bob', to: 'cid', comment: null, at: at(10) },
    ]);
    expect(isNews(record, passed('cid', 'dan'))).toBe(false);
  });

  describe('of a risky task', () => {
    const risky = { ...asked, kind: 'risky_task', tool: 'text.render', required: 1 } as const;
    const asking = (about: object = {}) =>
      recordOf([tool('ask')], draft('approval.requested', { ...risky, ...about }, { taskId: 'ask' }));
    const queued = { status: 'queued', attempt: 0, startedAt: null };
    const waits = { waitingFor: { kind: 'worker', detail: 'tools', until: null } };

    test('hold it back before it begins, and queue it when they are given', () => {
      const record = asking();
      expect(record.tasks.get('ask')).toMatchObject({ status: 'awaiting_approval', attempt: 0, startedAt: null });
      fold(record, [vote('ann', 'approved')]);
      expect(record.tasks.get('ask')).toMatchObject(queued);
      expect(taskView(record, 'ask')).toMatchObject(waits);
      fold(record, [draft('task.started', {}, { taskId: 'ask', second: 30 })]);
      expect(record.tasks.get('ask')).toMatchObject({ status: 'running', attempt: 1, startedAt: at(30) });
    });

    test('queue it when their time is up and that counts as one', () => {
      const expired = draft('approval.expired', { approvalId }, { taskId: 'ask' });
      const record = asking({ onExpiry: 'approve' });
      fold(record, [expired]);
      expect(record.approvals.get(approvalId)).toMatchObject({ status: 'expired', onExpiry: 'approve' });
      expect(record.tasks.get('ask')).toMatchObject(queued);
      const other = asking();
      fold(other, [expired]);
      expect(other.tasks.get('ask')?.status).toBe('awaiting_approval');
    });
  });
});
