import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { emptyRecord, goalView, graphView, isNews, reduce, type GoalRecord } from './goal-view.ts';
import { rollback, settledTask, startChanges } from './goal-record.ts';
import { taskView } from './graph-view.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { EventDraft, GoalEvent } from './schemas/event.ts';
import type { TaskStatus } from './schemas/goal.ts';
import { at, draft, fold, goalId, head, outlineOf, recordOf, tool } from './test-support/trial-goal.ts';

const approvalId = 'apr_0000000000000001.ask';

const completed = (taskId: string, output: string | number = taskId): EventDraft =>
  draft('task.completed', { output, startedAt: at(9) }, { taskId });
const error = { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false };
const failed = (taskId: string): EventDraft => draft('task.failed', { error, startedAt: at(9) }, { taskId });
const statuses = (record: GoalRecord): Record<string, TaskStatus> =>
  Object.fromEntries(graphView(record)!.tasks.map(({ id, status }) => [id, status]));

describe('the state of tasks', () => {
  test('follows from their dependencies', () => {
    const record = recordOf([tool('a'), tool('b', 'a'), tool('c', 'a', 'b')], completed('a'));
    expect(statuses(record)).toEqual({ a: 'completed', b: 'queued', c: 'pending' });
    const [, b, c] = graphView(record)!.tasks;
    expect(b?.waitingFor).toEqual({ kind: 'worker', detail: 'tools', until: null });
    expect(c?.waitingFor).toEqual({ kind: 'dependency', detail: 'b', until: null });
  });

  test('names at most five dependencies it waits for', () => {
    const many = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    const record = recordOf([...many.map((id) => tool(id)), tool('last', ...many)]);
    expect(taskView(record, 'last')?.waitingFor?.detail).toBe('a, b, c, d, e and 2 more');
  });

  test('does not let dependents of a failed task begin, unless the plan goes on', () => {
    const record = recordOf(
      [tool('a'), { ...tool('b'), onFailure: 'continue' }, tool('c', 'a'), tool('d', 'b')],
      failed('b'),
    );
    expect(statuses(record)).toEqual({ a: 'queued', b: 'failed', c: 'pending', d: 'queued' });
    fold(record, [failed('a')]);
    expect(statuses(record)).toEqual({ a: 'failed', b: 'failed', c: 'pending', d: 'ready' });
  });

  test('does not queue a task all of whose dependencies were skipped', () => {
    const skipped = draft('task.skipped', { reason: 'condition' }, { taskId: 'a' });
    expect(statuses(recordOf([tool('a'), tool('b', 'a')], skipped))).toEqual({ a: 'skipped', b: 'ready' });
  });

  test('waits for the approval of the plan', () => {
    const asked = { approvalId, kind: 'plan', prompt: 'go?', input: null, required: 1, expiresAt: null } as const;
    const record = recordOf([tool('a')], draft('approval.requested', asked));
    expect(record.state).toMatchObject({ status: 'awaiting_approval', startedAt: null });
    expect(taskView(record, 'a')).toMatchObject({ status: 'pending', waitingFor: { kind: 'approval' } });
    fold(record, [draft('plan.approved', { revision: 1, by: 'ann' }, { second: 20 })]);
    expect(record.state).toMatchObject({ status: 'running', startedAt: at(20) });
    expect(statuses(record)).toEqual({ a: 'queued' });
  });

  test('tells a retry and until when it pauses, and the next attempt ends the pause', () => {
    const retrying = draft('task.retrying', { error, nextAttemptAt: at(30) }, { taskId: 'a' });
    const record = recordOf([tool('a')], draft('task.started', {}, { taskId: 'a' }), retrying);
    expect(record.tasks.get('a')).toMatchObject({
      status: 'retrying',
      waitingFor: { kind: 'retry', detail: 'ASTRA_TOOL_FAILED', until: at(30) },
      error,
    });
    expect(fold(record, [draft('task.started', {}, { taskId: 'a', attempt: 1 }), retrying])).toEqual([]);
    fold(record, [draft('task.started', {}, { taskId: 'a', attempt: 2, second: 30 })]);
    expect(record.tasks.get('a')).toMatchObject({ status: 'running', attempt: 2, startedAt: at(10), error: null });
  });
});

describe('the end of a goal', () => {
  const plan = [tool('done'), tool('running'), tool('never')];
  const before = [completed('done'), draft('task.started', {}, { taskId: 'running' })];

  test('skips what never began and cancels what ran when it fails', () => {
    const record = recordOf(plan, ...before, draft('goal.failed', { error }, { second: 60 }));
    expect(statuses(record)).toEqual({ done: 'completed', running: 'cancelled', never: 'skipped' });
    expect(record.state).toMatchObject({ status: 'failed', error, finishedAt: at(60) });
    expect(record.state.progress).toEqual({ total: 3, completed: 1, running: 0, failed: 0, skipped: 1, waiting: 0 });
    expect(settledTask(record, 'never')).toEqual({ status: 'skipped' });
    expect(settledTask(record, 'running')).toEqual({ status: 'cancelled' });
  });

  test('cancels all that is not over when it is cancelled', () => {
    const record = recordOf(plan, ...before, draft('goal.cancelled', { reason: null }, { second: 60 }));
    expect(statuses(record)).toEqual({ done: 'completed', running: 'cancelled', never: 'cancelled' });
    expect(taskView(record, 'never')?.finishedAt).toBe(at(60));
  });

  test('closes open approvals, and nothing is recorded after it', () => {
    const asked = { approvalId, kind: 'task', prompt: 'go?', input: null, required: 1, expiresAt: null } as const;
    const ask: TaskOutline = { id: 'ask', kind: 'approval', after: [] };
    const record = recordOf([ask], draft('approval.requested', asked, { taskId: 'ask' }));
    expect(statuses(record)).toEqual({ ask: 'awaiting_approval' });
    fold(record, [draft('goal.cancelled', { reason: null })]);
    expect(record.approvals.get(approvalId)?.status).toBe('cancelled');
    expect(fold(record, [completed('ask'), draft('goal.failed', { error })])).toEqual([]);
  });

  test('keeps the output, or the artifact that holds it', () => {
    const record = recordOf(plan, draft('goal.completed', { output: { n: 1 } }));
    expect(goalView(record)).toMatchObject({ id: goalId, status: 'completed', output: { n: 1 }, outputArtifact: null });
  });
});

describe('approvals', () => {
  const ask: TaskOutline = { id: 'ask', kind: 'approval', after: [] };
  const asked = { approvalId, kind: 'task', prompt: 'go?', input: null, required: 2, expiresAt: at(99) } as const;
  const vote = (subject: string, status: 'pending' | 'approved'): EventDraft =>
    draft('approval.decided', { approvalId, subject, decision: 'approved', comment: null, status }, { taskId: 'ask' });

  test('count one vote a subject and none after the decision', () => {
    const record = recordOf([ask], draft('approval.requested', asked, { taskId: 'ask' }), vote('ann', 'pending'));
    expect(record.tasks.get('ask')?.waitingFor).toEqual({ kind: 'approval', detail: approvalId, until: at(99) });
    expect(isNews(record, vote('ann', 'approved'))).toBe(false);
    fold(record, [vote('bob', 'approved'), vote('cid', 'approved')]);
    expect(record.approvals.get(approvalId)).toMatchObject({
      status: 'approved',
      votes: [{ subject: 'ann' }, { subject: 'bob' }],
    });
    expect(record.tasks.get('ask')).toMatchObject({ status: 'running', waitingFor: null });
    expect(isNews(record, draft('approval.expired', { approvalId }))).toBe(false);
  });

  test('are cancelled with the task that asked', () => {
    const cancelled = draft('task.cancelled', { reason: null }, { taskId: 'ask' });
    const record = recordOf([ask], draft('approval.requested', asked, { taskId: 'ask' }), cancelled);
    expect(record.approvals.get(approvalId)?.status).toBe('cancelled');
  });
});

describe('maps', () => {
  const each: TaskOutline = { id: 'each', kind: 'map', tool: 'text.render', after: [] };

  test('count as one task and count their items for themselves', () => {
    const started = draft('task.started', { items: 3 }, { taskId: 'each' });
    const record = recordOf([each], started, completed('each.0'), failed('each.1'));
    expect(record.state.progress).toMatchObject({ total: 1, running: 1, completed: 0, failed: 0 });
    expect(record.tasks.get('each')?.map).toEqual({ total: 3, completed: 1, failed: 1 });
    expect(settledTask(record, 'each.1')).toEqual({ status: 'failed', error });
    expect(settledTask(record, 'each.2')).toBeNull();
    expect(isNews(record, failed('each.0'))).toBe(false);
    fold(record, [completed('each')]);
    expect(isNews(record, completed('each.2'))).toBe(false);
    expect(settledTask(record, 'each.2')).toEqual({ status: 'cancelled' });
  });

  test('may have items recorded before their own start', () => {
    const record = recordOf([each], completed('each.1'), draft('task.started', { items: 5 }, { taskId: 'each' }));
    expect(record.tasks.get('each')).toMatchObject({ status: 'running', map: { total: 5, completed: 1, failed: 0 } });
  });
});

test('what a task took is summed exactly, and at least in seconds when the tool does not tell', () => {
  const usage = { usd: '0.1', tokens: 7, seconds: 0.25 };
  const record = recordOf(
    [tool('a'), tool('b'), tool('c')],
    draft('task.completed', { output: 1, startedAt: at(9), usage }, { taskId: 'a' }),
    draft('task.completed', { output: 1, startedAt: at(9), usage: { ...usage, usd: '0.2' } }, { taskId: 'b' }),
    completed('c'),
  );
  expect(record.state.usage).toEqual({ usd: '0.3', tokens: 14, seconds: 1.5 });
});

test('a new revision keeps the tasks it still has and counts anew', () => {
  const record = recordOf([tool('a'), tool('b')], completed('a'), completed('b'));
  fold(record, [draft('plan.proposed', { outline: outlineOf([tool('a'), tool('c', 'a')], 2) })]);
  expect(statuses(record)).toEqual({ a: 'completed', c: 'queued' });
  expect(record.state).toMatchObject({ plan: { revision: 2 }, progress: { total: 2, completed: 1, waiting: 1 } });
});

describe('whatever is drafted in whatever order', () => {
  const each: TaskOutline = { id: 'each', kind: 'map', tool: 'text.render', after: ['a'] };
  const ask: TaskOutline = { id: 'ask', kind: 'approval', after: ['a'] };
  const plan = [tool('a'), { ...tool('b', 'a'), onFailure: 'continue' as const }, tool('c', 'a', 'b'), each, ask];
  const second = fc.integer({ min: 0, max: 90 });
  const attempt = fc.integer({ min: 1, max: 3 });
  const call = fc.constantFrom('a', 'b', 'c', 'each.0', 'each.1', 'each.7', 'unknown', 'a.1');
  const any = fc.constantFrom('a', 'b', 'c', 'each.0', 'each.1', 'each', 'ask');
  const status = fc.constantFrom('pending' as const, 'approved' as const, 'rejected' as const);
  const artifact = (n: number) => ({
    id: `art_000000000000000${n}`,
    name: 'n',
    mediaType: 'text/plain',
    sizeBytes: 1,
    sha256: '0'.repeat(64),
  });
  const anyDraft: fc.Arbitrary<EventDraft> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc
        .tuple(any, attempt, second)
        .map(([taskId, n, s]) =>
          draft('task.completed', { output: taskId, startedAt: at(s) }, { taskId, attempt: n, second: s + 1 }),
        ),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(any, attempt).map(([taskId, n]) => draft('task.failed', { error }, { taskId, attempt: n })),
    },
    { weight: 2, arbitrary: any.map((taskId) => draft('task.skipped', { reason: 'condition' }, { taskId })) },
    { weight: 2, arbitrary: any.map((taskId) => draft('task.cancelled', { reason: null }, { taskId })) },
    {
      weight: 5,
      arbitrary: fc
        .tuple(call, attempt, second)
        .map(([taskId, n, s]) => draft('task.started', {}, { taskId, attempt: n, second: s })),
    },
    {
      weight: 4,
      arbitrary: fc
        .tuple(call, attempt)
        .map(([taskId, n]) => draft('task.retrying', { error, nextAttemptAt: at(99) }, { taskId, attempt: n })),
    },
    { weight: 1, arbitrary: fc.constant(draft('task.started', { items: 4 }, { taskId: 'each' })) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(call, attempt)
        .map(([taskId, n]) =>
          draft(
            'task.queued',
            { waitingFor: { kind: 'rate_limit', detail: 'x', until: at(n) } },
            { taskId, attempt: n },
          ),
        ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        draft(
          'approval.requested',
          { approvalId, kind: 'task', prompt: '?', input: null, required: 2, expiresAt: null },
          { taskId: 'ask' },
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        draft('approval.requested', {
          approvalId: 'plan',
          kind: 'plan',
          prompt: '?',
          input: null,
          required: 1,
          expiresAt: null,
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.constantFrom(approvalId, 'plan'), fc.constantFrom('ann', 'bob'), status)
        .map(([id, subject, s]) =>
          draft('approval.decided', { approvalId: id, subject, decision: 'approved', comment: null, status: s }),
        ),
    },
    { weight: 1, arbitrary: fc.constant(draft('approval.expired', { approvalId })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom('ann', 'bob').map((subject) => {
        return draft('approval.delegated', { approvalId, subject, to: 'cid', comment: null });
      }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        draft('plan.approved', { revision: 1, by: 'x' }),
        draft('plan.rejected', { revision: 1, by: 'x', comment: null }),
      ),
    },
    { weight: 1, arbitrary: fc.constant(draft('goal.context_assembled', { documents: 1, sizeBytes: 2 })) },
    { weight: 1, arbitrary: fc.constant(draft('goal.cancelling', { reason: null })) },
    {
      weight: 1,
      arbitrary: fc.nat(3).map((n) => draft('artifact.created', { artifact: artifact(n) }, { taskId: 'a' })),
    },
    { weight: 1, arbitrary: fc.constant(draft('plan.proposed', { outline: outlineOf(plan.slice(0, 4), 2) })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        draft('goal.completed', { output: 1 }),
        draft('goal.failed', { error }),
        draft('goal.cancelled', { reason: null }),
      ),
    },
  );
  const begin = [draft('goal.submitted', { head }), draft('plan.proposed', { outline: outlineOf(plan) })];
  const drafts = fc.array(anyDraft, { maxLength: 60 }).map((rest) => [...begin, ...rest]);

  test('a recorded draft is never news again, save that a call is put off', () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const record = emptyRecord();
        const recorded: EventDraft[] = [];
        for (const each of all) {
          recorded.push(...fold(record, [each]).filter(({ type }) => type !== 'task.queued'));
          expect(recorded.filter((known) => isNews(record, known))).toEqual([]);
        }
      }),
    );
  });

  test('commits, however grouped and whichever of them fail first, and a rebuild give the same record', () => {
    fc.assert(
      fc.property(drafts, fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.boolean())), (all, groups) => {
        const live = emptyRecord();
        const events = fold(live, all);
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));

        const grouped = emptyRecord();
        for (let from = 0, group = 0; from < all.length; group += 1) {
          const [size, fails] = groups[group] ?? [5, false];
          const batch = all.slice(from, from + size);
          if (fails) {
            const before = structuredClone(grouped);
            const changes = startChanges(grouped);
            for (const each of batch) {
              if (isNews(grouped, each)) reduce(grouped, { ...each, goalId, seq: grouped.state.seq + 1 }, changes);
            }
            rollback(changes);
            expect(grouped).toEqual(before);
          }
          fold(grouped, batch);
          from += size;
        }
        expect(grouped).toEqual(live);

        const rebuilt = emptyRecord();
        for (const event of JSON.parse(JSON.stringify(events)) as GoalEvent[]) reduce(rebuilt, event);
        expect(rebuilt).toEqual(live);
      }),
    );
  });

  test('the counters are what a recount of the graph gives', () => {
    const waiting = new Set<TaskStatus>(['pending', 'ready', 'queued', 'awaiting_approval', 'retrying', 'parked']);
    fc.assert(
      fc.property(drafts, (all) => {
        const record = emptyRecord();
        for (const each of all) {
          fold(record, [each]);
          if (!record.outline) continue;
          const shown = Object.values(statuses(record));
          const count = (status: TaskStatus): number => shown.filter((each) => each === status).length;
          expect(record.state.progress).toEqual({
            total: shown.length,
            completed: count('completed'),
            running: count('running'),
            failed: count('failed'),
            skipped: count('skipped'),
            waiting: shown.filter((status) => waiting.has(status)).length,
          });
        }
      }),
    );
  });

  test('every task of an ended goal has an outcome, and the first one recorded stays', () => {
    fc.assert(
      fc.property(drafts, (all) => {
        const record = emptyRecord();
        const outcomes = new Map<string, unknown>();
        for (const each of [...all, draft('goal.cancelled', { reason: null })]) {
          fold(record, [each]);
          for (const { id } of record.outline?.tasks ?? []) {
            const outcome = settledTask(record, id);
            if (outcomes.has(id)) expect(outcome).toEqual(outcomes.get(id));
            else if (outcome) outcomes.set(id, outcome);
          }
        }
        for (const { id } of record.outline!.tasks) expect(outcomes.get(id)).toBeDefined();
      }),
    );
  });
});

describe('a plan that changes', () => {
  const change = (outline: PlanOutline, rest = {}) =>
    draft('plan.amended', {
      outline,
      added: [],
      removed: [],
      replaced: [],
      reason: null,
      by: 'ann',
      changeId: 'c1',
      ...rest,
    });
  const revised = (revision: number, ...tasks: TaskOutline[]): PlanOutline => outlineOf(tasks, revision);

  test('keeps what has settled, and forgets what begins anew or is gone', () => {
    const record = recordOf(
      [tool('a'), tool('b'), tool('c')],
      draft('task.completed', { output: 1, startedAt: at(1) }, { taskId: 'a' }),
      draft('task.started', {}, { taskId: 'b' }),
      draft('task.failed', { error: { code: 'ASTRA_TOOL_FAILED', message: 'no', retryable: false } }, { taskId: 'c' }),
    );
    const changes = startChanges(record);
    const outline = revised(2, tool('a'), { ...tool('c'), run: 2 }, { ...tool('d'), run: 2 });
    reduce(record, { ...change(outline, { removed: ['b'], replaced: ['c'], added: ['d'] }), goalId, seq: 9 }, changes);
    expect([...record.tasks.keys()]).toEqual(['a']);
    expect([...changes.removed.keys()]).toEqual(['b', 'c']);
    expect(record.state.progress).toEqual({ total: 3, completed: 1, running: 0, failed: 0, skipped: 0, waiting: 2 });
    rollback(changes);
    expect([...record.tasks.keys()].toSorted()).toEqual(['a', 'b', 'c']);
    expect(record.outline?.revision).toBe(1);
  });

  test('is no news of what has finished, or from another revision, or twice', () => {
    const record = recordOf(
      [tool('a'), tool('b')],
      draft('task.completed', { output: 1, startedAt: at(1) }, { taskId: 'a' }),
    );
    expect(isNews(record, change(revised(2, tool('b')), { removed: ['a'] }))).toBe(false);
    expect(isNews(record, change(revised(3, tool('a')), { removed: ['b'] }))).toBe(false);
    const good = change(revised(2, tool('a')), { removed: ['b'] });
    expect(fold(record, [good, good])).toHaveLength(1);
  });

  test('hears nothing of earlier runs of what begins anew', () => {
    const record = recordOf([tool('a'), tool('b')]);
    fold(record, [change(revised(2, tool('a'), { ...tool('b'), run: 2 }), { replaced: ['b'] })]);
    const end = (id: string) => draft('task.completed', { output: 1, startedAt: at(1) }, { taskId: id });
    expect(isNews(record, end('b'), { revision: 1 })).toBe(false);
    expect(isNews(record, end('b'), { revision: 2 })).toBe(true);
    expect(isNews(record, end('a'), { revision: 1 })).toBe(true);
    expect(isNews(record, draft('goal.completed', { output: 1 }), { revision: 1 })).toBe(false);
  });

  test('reopens a goal that has ended, as its next run', () => {
    const record = recordOf(
      [tool('a'), tool('b', 'a')],
      draft('task.completed', { output: 1, startedAt: at(1) }, { taskId: 'a' }),
      draft('goal.failed', { error: { code: 'ASTRA_TASK_FAILED', message: 'no', retryable: false } }),
    );
    const outline = revised(2, tool('a'), { ...tool('b', 'a'), run: 2 });
    const retried = (run: number) =>
      draft('goal.retried', { run, outline, restarted: ['b'], by: 'ann', changeId: 'r' });
    expect(isNews(record, retried(3))).toBe(false);
    expect(fold(record, [retried(2)])).toHaveLength(1);
    expect(record.state).toMatchObject({ run: 2, status: 'running', error: null, finishedAt: null });
    expect(record.state.progress).toMatchObject({ total: 2, completed: 1, waiting: 1 });
    expect(isNews(record, retried(3))).toBe(false);
  });
});
