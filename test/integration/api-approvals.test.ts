import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvalId } from '../../domain/ids.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PolicyRule } from '../../domain/schemas/approval-policy.ts';
import type { EventData } from '../../domain/schemas/event.ts';
import { createApprovalPolicyStore } from '../../stores/postgres/approval-policies.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { rebuildGoal } from '../../stores/postgres/rebuild-goal.ts';
import { createPolicyMemory } from '../../stores/policy-memory.ts';
import { until } from '../support/until.ts';
import { createApiBench, type ApiBench } from './api-support.ts';
import { at, begin, draft, tool } from './record-support.ts';

let api: ApiBench;
beforeAll(async () => {
  api = await createApiBench();
});
afterAll(() => api.stop());

const deny: PolicyRule = { tool: 'shell.*', decision: 'deny' };
const put = (rules: readonly object[], as?: string) =>
  api.post('/v1/approval-policies', { rules }, { method: 'PUT', ...(as === undefined ? {} : { as }) });

describe('approval policies', () => {
  test('are a tenant’s own, none until an administrator sets them, and replaced whole', async () => {
    const none = { rules: [], updatedAt: null, updatedBy: null };
    expect(await api.get('/v1/approval-policies')).toEqual({ status: 200, body: none });
    expect(await put([deny])).toMatchObject({ status: 403, body: { code: 'ASTRA_FORBIDDEN' } });
    const admin = await api.app.tokens.sign({ tenant: api.bench.tenant, sub: 'boss', scope: 'admin' });
    const set = await put([deny, { tool: '*', decision: 'allow' }], admin);
    expect(set).toMatchObject({ status: 200, body: { updatedBy: 'boss' } });
    expect(await api.get('/v1/approval-policies')).toEqual(set);
    expect(await put([], admin)).toMatchObject({ status: 200, body: { rules: [] } });
    const stranger = await api.app.tokens.sign({ tenant: 'somebody-else' });
    expect(await api.get('/v1/approval-policies', { as: stranger })).toEqual({ status: 200, body: none });
  });

  test('that are not valid are refused whole, with a pointer for each fault', async () => {
    const admin = await api.app.tokens.sign({ tenant: api.bench.tenant, scope: 'admin' });
    expect(
      await put(
        [
          { tool: '*', decision: 'perhaps' },
          { ...deny, required: 2 },
        ],
        admin,
      ),
    ).toMatchObject({
      status: 422,
      body: {
        code: 'ASTRA_BODY_INVALID',
        errors: [{ pointer: '/rules/0/decision' }, { pointer: '/rules/1/required' }],
      },
    });
  });

  test('are known to a worker within a second', async () => {
    const store = createApprovalPolicyStore(api.worker.pool);
    await store.put('tenant-one', { rules: [deny] }, 'boss');
    const memory = createPolicyMemory(store, { logger: { warn: () => undefined } });
    try {
      expect(await memory.rulesOf('tenant-one')).toEqual([deny]);
      await store.put('tenant-two', { rules: [deny] }, 'boss');
      await store.put('tenant-one', { rules: [] }, 'boss');
      const isKnown = async () =>
        (await memory.rulesOf('tenant-two')).length === 1 && (await memory.rulesOf('tenant-one')).length === 0;
      await until(isKnown, 'both changes are known', { timeoutSeconds: 5 });
    } finally {
      memory.close();
    }
  });
});

describe('an approval', () => {
  async function ask(about: Partial<EventData['approval.requested']> = {}): Promise<{ goal: GoalRef; id: string }> {
    const goal = api.bench.newGoal();
    await begin(api.worker.recorder, goal, [tool('send')]);
    const id = approvalId(goal.goalId, 'send');
    const request: EventData['approval.requested'] = {
      approvalId: id,
      kind: 'risky_task',
      tool: 'mail.send',
      prompt: 'May it?',
      input: { to: 'ann' },
      required: 2,
      expiresAt: null,
      ...about,
    };
    await api.worker.recorder.record(goal, [draft('approval.requested', request, { taskId: 'send', second: 3 })]);
    return { goal, id };
  }

  test('keeps what it was asked with, who passed a vote on, and the input that was approved', async () => {
    const { goal, id } = await ask({
      deciders: { subjects: ['ann', 'bob'] },
      onExpiry: 'approve',
      agentId: 'clerk',
      expiresAt: at(99),
    });
    const store = createApprovalStore(api.worker.pool);
    const approval = { id, goalId: goal.goalId };
    const sha256 = await store.keepEdit(goal.tenant, approval, { to: 'bob', copies: 2 });
    expect(await store.keepEdit(goal.tenant, approval, { copies: 2, to: 'bob' }), 'however it is written').toBe(sha256);
    await store.keepEdit(goal.tenant, approval, { to: 'never voted for' });
    const vote = { approvalId: id, subject: 'bob', decision: 'approved', comment: null, status: 'pending' } as const;
    await api.worker.recorder.record(goal, [
      draft('approval.delegated', { approvalId: id, subject: 'ann', to: 'cid', comment: 'away' }, { taskId: 'send' }),
      draft('approval.decided', { ...vote, editedInputSha256: sha256 }, { taskId: 'send' }),
    ]);
    const expected = {
      tool: 'mail.send',
      agentId: 'clerk',
      deciders: { subjects: ['ann', 'bob'] },
      delegations: [{ from: 'ann', to: 'cid', comment: 'away', at: at(10) }],
      onExpiry: 'approve',
      input: { to: 'ann' },
      editedInput: { to: 'bob', copies: 2 },
      editedInputSha256: sha256,
    };
    expect((await api.get(`/v1/approvals/${id}`)).body).toMatchObject(expected);

    const other = await api.bench.start();
    // It loads the goal before it can tell what is news.
    await other.recorder.record(goal, [
      draft('approval.decided', { ...vote, subject: 'cid', status: 'approved' }, { taskId: 'send' }),
    ]);
    await rebuildGoal(other.pool, goal);
    const rebuilt = (await api.get(`/v1/approvals?goalId=${goal.goalId}`)).body as { items: unknown[] };
    expect(rebuilt.items).toMatchObject([
      { ...expected, status: 'approved', votes: [{ subject: 'bob' }, { subject: 'cid' }] },
    ]);
  });

  test('takes nothing of who may not decide it, and says who may', async () => {
    const { id } = await ask({ deciders: { subjects: ['ann'], scopes: ['finance'] } });
    const detail = 'You may not decide this approval; "ann" or who has the scope `finance` may.';
    const refusal = { status: 403, body: { code: 'ASTRA_FORBIDDEN', detail } };
    const decision = { decision: 'approved', editedInput: { to: 'me' } };
    expect(await api.post(`/v1/approvals/${id}/decisions`, decision)).toMatchObject(refusal);
    expect(await api.post(`/v1/approvals/${id}/delegations`, { to: 'eve' })).toMatchObject(refusal);
    const { rows } = await api.worker.pool.query('SELECT 1 FROM approval_edits WHERE approval_id = $1', [id]);
    expect(rows).toEqual([]);
  });

  test('takes no vote for another than a subject, and no unknown field', async () => {
    const { id } = await ask();
    expect(await api.post(`/v1/approvals/${id}/delegations`, { to: '', why: 'x' })).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([expect.objectContaining({ pointer: '/why' })]) as unknown },
    });
    expect(await api.post('/v1/approvals/apr_0000000000000000000000/delegations', { to: 'a' })).toMatchObject({
      status: 404,
    });
  });
});
