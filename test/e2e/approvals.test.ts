import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runInProcess } from '../../cli/test-support/run-in-process.ts';
import type { Approval, Astra, ApprovalPolicyRule, GoalSubmission } from '../../sdk/index.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

// Policies are a tenant's, and other tests have none.
const tenant = 'approvals';
let system: System;
let astra: Astra;
let admin: Astra;
beforeAll(async () => {
  const modules = join(import.meta.dirname, '../support/e2e/risky-tools.ts');
  system = await startSystem({ env: { ASTRA_TOOL_MODULES: modules } });
  astra = await system.clientFor({ tenant });
  admin = await system.clientFor({ tenant, subject: 'boss', scope: 'admin' });
  await admin.approvalPolicies.set([]);
});
afterAll(() => system.stop());

type ToolTask = Extract<Task, { kind: 'tool' }>;
const call = (id: string, tool: string, to: string, rest: Partial<ToolTask> = {}): ToolTask => ({
  id,
  kind: 'tool',
  tool,
  input: { to, text: '{{ goal.input.text }}' },
  ...rest,
});
const send = (rest: Partial<ToolTask> = {}, to = 'ann'): ToolTask => call('send', 'mail.send', to, rest);
const goal = (tasks: Task[], rest: Partial<GoalSubmission> = {}): GoalSubmission =>
  goalOf(tasks, '{{ tasks.send.output }}', { objective: 'Write to Ann', input: { text: 'hello' }, ...rest });

const as = (subject: string, scope = 'approvals:write goals:read'): Promise<Astra> =>
  system.clientFor({ tenant, subject, scope });
const pendingApproval = (goalId: string): Promise<Approval> => awaitApproval(astra, goalId);
const approve = { decision: 'approved' } as const;
async function decide(
  goalId: string,
  decision: Parameters<Astra['approvals']['decide']>[1] = approve,
): Promise<Approval> {
  return astra.approvals.decide((await pendingApproval(goalId)).id, decision);
}
const refusal = (code: string, status: number, message = '') => ({
  code,
  status,
  message: expect.stringContaining(message) as string,
});

/** In force in the worker when this resolves: a goal planned under the rules tells. */
async function setPolicy(rules: ApprovalPolicyRule[]): Promise<void> {
  const marker = `marker.${Math.random().toString(36).slice(2)}`;
  const text: Task = { id: 'text', kind: 'tool', tool: 'text.render', input: { template: '', data: {} } };
  const probe = goalOf([text], null, { agentId: marker });
  await admin.approvalPolicies.set([{ tool: 'text.render', agentId: marker, decision: 'deny' }, ...rules]);
  await until(async () => {
    const { id } = await astra.goals.submit(probe);
    return (await astra.goals.result(id, { timeoutMs: 30_000 })).status === 'failed';
  }, 'the policy is in force');
}

describe('a risky call', () => {
  test('asks before it runs, shows tool, input and who asks, and runs with the input approved', async () => {
    const submission = goal([echo('pick', 'ann'), send({}, '{{ tasks.pick.output }}')], { agentId: 'clerk' });
    const done = await runGoal(astra, submission, async (id) => {
      const task = await awaitTask(astra, id, 'send', 'awaiting_approval');
      const asked = await pendingApproval(id);
      expect(task).toMatchObject({ attempt: 0, startedAt: null, waitingFor: { kind: 'approval', detail: asked.id } });
      expect(asked).toMatchObject({
        kind: 'risky_task',
        taskId: 'send',
        agentId: 'clerk',
        tool: 'mail.send',
        input: { to: 'ann', text: 'hello' },
        prompt: 'May "send" call mail.send now? The goal: Write to Ann',
        onExpiry: 'reject',
      });
      expect(await decide(id)).toMatchObject({ status: 'approved', editedInput: null });
    });
    expect(done.view).toMatchObject({ status: 'completed', agentId: 'clerk', output: { to: 'ann', text: 'hello' } });
    expect(done.typesOf('send').filter((type) => type !== 'task.started')).toEqual([
      'approval.requested',
      'approval.decided',
      'task.completed',
    ]);
    expect(done.task('send').attempt).toBe(1);
  });

  test('runs with the edited input, which must be one that its tool takes', async () => {
    const done = await runGoal(astra, goal([send()]), async (id) => {
      const edit = (editedInput: { to: string; cc?: string }) => decide(id, { ...approve, editedInput });
      const wrong = edit({ to: 'x', cc: 'eve' });
      await expect(wrong).rejects.toMatchObject(refusal('ASTRA_BODY_INVALID', 422, 'mail.send'));
      await expect(wrong).rejects.toMatchObject({
        faults: [{ pointer: '/editedInput/cc' }, { pointer: '/editedInput/to' }],
      });
      expect((await pendingApproval(id)).votes).toEqual([]);
      expect(await edit({ to: 'bob' })).toMatchObject({ status: 'approved', editedInput: { to: 'bob' } });
    });
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'bob', text: '' } });
  });

  test('larger than travels inline is shown as an artifact, and runs as it was', async () => {
    const text = 'long '.repeat(5_000);
    const done = await runGoal(astra, goal([send()], { input: { text } }), async (id) => {
      const { input, inputArtifact } = await pendingApproval(id);
      expect(input).toBeNull();
      const response = await astra.artifacts.download(inputArtifact!.id);
      expect(await response.json()).toEqual({ to: 'ann', text });
      await decide(id);
    });
    expect(done.view.status).toBe('completed');
    expect(done.view.outputArtifact?.sizeBytes).toBeGreaterThan(text.length);
  });

  test('that is rejected fails its task, and never runs', async () => {
    const done = await runGoal(astra, goal([send()]), async (id) => {
      await decide(id, { decision: 'rejected', comment: 'no mail today' });
    });
    expect(done.task('send')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_APPROVAL_REJECTED' } });
    expect(done.typesOf('send')).not.toContain('task.started');
  });

  test('is asked about anew when its goal is tried again, and in a fork for the same agent', async () => {
    const { id } = await runGoal(astra, goal([send()], { agentId: 'clerk' }), async (id) => {
      await decide(id, { decision: 'rejected' });
    });
    await astra.goals.retry(id, { tasks: 'failed' });
    const again = await pendingApproval(id);
    expect(again).toMatchObject({ id: `apr_${id.slice(4)}.send.2`, agentId: 'clerk', votes: [] });
    await astra.approvals.decide(again.id, { ...approve, editedInput: { to: 'bob' } });
    expect((await finishedGoal(astra, id)).view).toMatchObject({ status: 'completed', run: 2, output: { to: 'bob' } });
    const fork = await astra.goals.fork(id, { tasks: ['send'] });
    expect(await pendingApproval(fork.id)).toMatchObject({ agentId: 'clerk', tool: 'mail.send', input: { to: 'ann' } });
    await decide(fork.id);
    expect((await finishedGoal(astra, fork.id)).view).toMatchObject({ status: 'completed', output: { to: 'ann' } });
  });

  test('is asked about anew when the plan changes it, and so is what is added', async () => {
    const done = await runGoal(astra, goal([send()]), async (id) => {
      const old = await pendingApproval(id);
      const add = [call('copy', 'mail.draft', 'cid', { risk: 'high' })];
      await astra.goals.amendPlan(id, { baseRevision: 1, replace: [send({}, 'bob')], add });
      for (const taskId of ['send', 'copy']) {
        const approvalId = `apr_${id.slice(4)}.${taskId}.2`;
        await awaitTask(astra, id, taskId, ({ waitingFor }) => waitingFor?.detail === approvalId);
        await expect(astra.approvals.decide(old.id, approve)).rejects.toMatchObject(
          refusal('ASTRA_APPROVAL_DECIDED', 409),
        );
        await astra.approvals.decide(approvalId, approve);
      }
    });
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'bob' } });
    expect(done.task('copy').status).toBe('completed');
  });

  test('is taken back with the input approved', async () => {
    const hook: Task = { id: 'hook', kind: 'wait', event: 'never.comes', after: ['send'] };
    const done = await runGoal(astra, goal([call('send', 'mail.post', 'ann'), hook]), async (id) => {
      await decide(id, { ...approve, editedInput: { to: 'bob' } });
      await awaitTask(astra, id, 'hook', 'running');
      await astra.goals.cancel(id, { compensate: true });
    });
    expect(done.task('send').cancelReceipt).toBe('compensated');
  });

  test('may be so by its task’s word; a quick one does not run in a segment', async () => {
    const tasks = [call('draft', 'mail.draft', 'ann', { risk: 'high' }), call('send', 'mail.format', 'bob')];
    const done = await runGoal(astra, goal(tasks), async (id) => {
      for (const taskId of ['draft', 'send']) {
        await awaitTask(astra, id, taskId, 'awaiting_approval');
        await astra.approvals.decide(`apr_${id.slice(4)}.${taskId}`, approve);
      }
    });
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'bob' } });
  });

  test('outlives the worker while people think', async () => {
    const done = await runGoal(astra, goal([send()]), async (id) => {
      const { id: approvalId } = await pendingApproval(id);
      await system.restartWorker();
      await astra.approvals.decide(approvalId, { ...approve, editedInput: { to: 'bob' } });
    });
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'bob' } });
  });

  test.each(['mail.send', 'mail.format'])(
    'in a map is asked about once, with the number of items and a sample: %s',
    async (tool) => {
      const each: Task = {
        id: 'send',
        kind: 'map',
        over: '["ann", "bob", "cid", "dan"]',
        task: { kind: 'tool', tool, input: { to: '{{ item }}' } },
      };
      const done = await runGoal(astra, goal([each]), async (id) => {
        const asked = await pendingApproval(id);
        const sample = [{ to: 'ann' }, { to: 'bob' }, { to: 'cid' }];
        expect(asked).toMatchObject({ kind: 'risky_task', tool, input: null, map: { items: 4, sample } });
        const edited = decide(id, { ...approve, editedInput: { to: 'eve' } });
        await expect(edited).rejects.toMatchObject(refusal('ASTRA_BODY_INVALID', 422));
        await decide(id);
      });
      expect(done.view.output).toMatchObject([{ to: 'ann' }, { to: 'bob' }, { to: 'cid' }, { to: 'dan' }]);
      expect(done.events.filter(({ type }) => type === 'approval.requested')).toHaveLength(1);
    },
  );
});

describe('policy', () => {
  test('may allow a risky call to one agent, and only an administrator sets it', async () => {
    const rules: ApprovalPolicyRule[] = [{ tool: 'mail.*', agentId: 'clerk', decision: 'allow' }];
    await expect(astra.approvalPolicies.set(rules)).rejects.toMatchObject(refusal('ASTRA_FORBIDDEN', 403, 'admin'));
    await setPolicy(rules);
    expect((await astra.approvalPolicies.get()).updatedBy).toBe('boss');
    const allowed = await runGoal(astra, goal([send()], { agentId: 'clerk' }));
    expect(allowed.typesOf('send').filter((type) => type !== 'task.started')).toEqual(['task.completed']);
    const other = await runGoal(astra, goal([send()], { agentId: 'intern' }), async (id) => {
      await decide(id);
    });
    expect(other.typesOf('send')).toContain('approval.requested');
  });

  test('may ask about a call of low risk, as it says', async () => {
    const deciders = { subjects: ['ann'] };
    await setPolicy([{ tool: 'code.*', decision: 'ask', deciders, expiresSeconds: 600 }]);
    const done = await runGoal(astra, goal([echo('send', 7)]), async (id) => {
      const asked = await pendingApproval(id);
      expect(asked).toMatchObject({ tool: 'code.javascript', deciders });
      expect(Date.parse(asked.expiresAt!) - Date.parse(asked.requestedAt)).toBeGreaterThan(590_000);
      await expect(decide(id)).rejects.toMatchObject(refusal('ASTRA_FORBIDDEN', 403, '"ann" may'));
      await (await as('ann')).approvals.decide(asked.id, approve);
    });
    expect(done.view).toMatchObject({ status: 'completed', output: 7 });
  });

  test('may deny a call, in sub-goals of the agent too', async () => {
    await setPolicy([{ tool: 'mail.draft', agentId: 'clerk', decision: 'deny' }]);
    const draftTask = call('send', 'mail.draft', 'ann');
    const denied = await runGoal(astra, goal([draftTask], { agentId: 'clerk' }));
    expect(denied.task('send')).toMatchObject({
      status: 'failed',
      error: { code: 'ASTRA_POLICY_DENIED', message: expect.stringContaining('"mail.draft"') as string },
    });
    const inner = goal([draftTask]);
    const parent = await runGoal(astra, goal([child('send', inner)], { agentId: 'clerk' }));
    expect(parent.task('send')).toMatchObject({
      error: { message: expect.stringContaining('ASTRA_POLICY_DENIED') as string },
    });
    const free = await runGoal(astra, goal([child('send', { ...inner, agentId: 'intern' })]));
    expect(free.view.status).toBe('completed');
  });

  test('that is set while a goal runs counts for the calls that have not begun', async () => {
    const waits: Task = { id: 'hook', kind: 'wait', event: 'go' };
    const tasks = [waits, call('send', 'mail.draft', 'ann', { after: ['hook'] })];
    const asked = await runGoal(astra, goal(tasks), async (id) => {
      await awaitTask(astra, id, 'hook', 'running');
      await setPolicy([{ tool: 'mail.draft', decision: 'ask' }]);
      await astra.goals.sendEvent(id, { name: 'go' });
      await decide(id, { ...approve, editedInput: { to: 'bob' } });
    });
    expect(asked.view).toMatchObject({ status: 'completed', output: { to: 'bob' } });
    await setPolicy([]);
    const denied = await runGoal(astra, goal(tasks), async (id) => {
      await awaitTask(astra, id, 'hook', 'running');
      await setPolicy([{ tool: 'mail.draft', decision: 'deny' }]);
      await astra.goals.sendEvent(id, { name: 'go' });
    });
    expect(denied.task('send').error?.code).toBe('ASTRA_POLICY_DENIED');
  });
});

describe('votes', () => {
  test('count of those whom the approval names, by subject or by scope', async () => {
    const ask = approval('send', { required: 2, deciders: { subjects: ['ann'], scopes: ['finance'] } });
    const done = await runGoal(astra, goal([ask]), async (id) => {
      const asked = await pendingApproval(id);
      const eve = await as('eve', 'approvals:write admin');
      const message = 'You may not decide this approval; "ann" or who has the scope `finance` may.';
      await expect(eve.approvals.decide(asked.id, approve)).rejects.toMatchObject(
        refusal('ASTRA_FORBIDDEN', 403, message),
      );
      const clerk = await as('clerk', 'approvals:write finance');
      expect(await clerk.approvals.decide(asked.id, approve)).toMatchObject({ status: 'pending' });
      expect(await (await as('ann')).approvals.decide(asked.id, approve)).toMatchObject({ status: 'approved' });
    });
    expect(done.view.status).toBe('completed');
  });

  test('are all for one input', async () => {
    const ask = approval('send', { required: 2, input: { to: 'ann' } });
    const done = await runGoal(astra, goal([ask]), async (id) => {
      const edited = { ...approve, editedInput: { to: 'bob', copies: 1 } };
      expect(await decide(id, edited)).toMatchObject({ status: 'pending', editedInput: edited.editedInput });
      const { id: approvalId } = await pendingApproval(id);
      const ann = await as('ann');
      await expect(ann.approvals.decide(approvalId, approve)).rejects.toMatchObject(
        refusal('ASTRA_APPROVAL_EDITED', 409),
      );
      await ann.approvals.decide(approvalId, { ...approve, editedInput: { copies: 1, to: 'bob' } });
    });
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'bob', copies: 1 } });
  });

  test('are passed on, at most five times, to who has none, and are gone from who had them', async () => {
    const done = await runGoal(astra, goal([approval('send', { deciders: { subjects: ['s0'] } })]), async (id) => {
      const { id: approvalId } = await pendingApproval(id);
      const delegate = async (from: string, to: string) =>
        (await as(from)).approvals.delegate(approvalId, { to, comment: `ask ${to}` });
      await expect(delegate('eve', 's1')).rejects.toMatchObject(refusal('ASTRA_FORBIDDEN', 403));
      for (const n of [0, 1, 2, 3, 4]) {
        const passed = await delegate(`s${n}`, `s${n + 1}`);
        expect(passed.delegations.at(-1)).toMatchObject({ from: `s${n}`, to: `s${n + 1}`, comment: `ask s${n + 1}` });
        expect(await delegate(`s${n}`, `s${n + 1}`), 'once more changes nothing').toEqual(passed);
      }
      await expect(delegate('s5', 's6')).rejects.toMatchObject(refusal('ASTRA_DELEGATION_INVALID', 422, '5 times'));
      await expect(delegate('s5', 's2')).rejects.toMatchObject(
        refusal('ASTRA_DELEGATION_INVALID', 422, 'passed a vote on'),
      );
      const former = (await as('s0')).approvals.decide(approvalId, approve);
      await expect(former).rejects.toMatchObject(refusal('ASTRA_FORBIDDEN', 403, 'passed your vote on to "s1"'));
      await (await as('s5')).approvals.decide(approvalId, approve);
      await expect(delegate('s5', 's6')).rejects.toMatchObject(refusal('ASTRA_APPROVAL_DECIDED', 409));
    });
    expect(done.view.status).toBe('completed');
    expect(done.events.filter(({ type }) => type === 'approval.delegated').map(({ data }) => data)).toMatchObject([
      { subject: 's0', to: 's1', comment: 'ask s1' },
      ...[1, 2, 3, 4].map((n) => ({ subject: `s${n}`, to: `s${n + 1}` })),
    ]);
  });

  test('for another input that are too few in time do not count', async () => {
    const terms = { required: 2, expiresSeconds: 2, onExpiry: 'approve' } as const;
    await setPolicy([{ tool: 'mail.send', decision: 'ask', ...terms }]);
    const ask = approval('send', { ...terms, input: { to: 'ann' } });
    const edit = async (id: string): Promise<void> => {
      expect(await decide(id, { ...approve, editedInput: { to: 'eve' } })).toMatchObject({ status: 'pending' });
    };
    for (const task of [ask, send()]) {
      expect((await runGoal(astra, goal([task]), edit)).view.output).toMatchObject({ to: 'ann' });
    }
  });

  test('that do not come in time are a rejection, or what the approval says', async () => {
    const tasks = [
      approval('no', { expiresSeconds: 1, onFailure: 'continue' }),
      approval('yes', { expiresSeconds: 1, onExpiry: 'approve', input: { to: 'ann' } }),
    ];
    const done = await runGoal(astra, goalOf(tasks, '{{ tasks.yes.output }}'));
    expect(done.task('no').error?.code).toBe('ASTRA_APPROVAL_EXPIRED');
    expect(done.view).toMatchObject({ status: 'completed', output: { to: 'ann' } });
    expect(done.typesOf('yes')).toEqual(['approval.requested', 'approval.expired', 'task.completed']);
  });
});

describe('the approval of a plan', () => {
  const planned = (terms: GoalSubmission['approval']): GoalSubmission =>
    goalOf([echo('a', 1)], '{{ tasks.a.output }}', { approval: { plan: 'required', ...terms } });

  test('names its deciders, may be passed on, and takes no edited input', async () => {
    const done = await runGoal(astra, planned({ deciders: { subjects: ['ann'] } }), async (id) => {
      const { id: approvalId } = await pendingApproval(id);
      await expect(decide(id)).rejects.toMatchObject(refusal('ASTRA_FORBIDDEN', 403));
      const ann = await as('ann');
      const edited = ann.approvals.decide(approvalId, { ...approve, editedInput: {} });
      await expect(edited).rejects.toMatchObject(refusal('ASTRA_BODY_INVALID', 422));
      await ann.approvals.delegate(approvalId, { to: 'tester' });
      await decide(id);
    });
    expect(done.view).toMatchObject({ status: 'completed', output: 1 });
  });

  test('expires with the decision that it says', async () => {
    const approved = await runGoal(astra, planned({ expiresSeconds: 1, onExpiry: 'approve' }));
    expect(approved.view).toMatchObject({ status: 'completed', output: 1 });
    const rejected = await runGoal(astra, planned({ expiresSeconds: 1 }));
    expect(rejected.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_APPROVAL_EXPIRED' } });
  });
});

test('votes are passed on, and policies set, from the command line', async () => {
  const run = async (subject: string, args: readonly string[], stdin = '') => {
    const env = { ASTRA_TOKEN: await system.tokenFor({ tenant, subject, scope: 'admin' }) };
    const { exitCode, stdout, stderr } = await runInProcess(system.apiUrl, args, { env, stdin });
    expect(exitCode, stderr).toBe(0);
    return stdout;
  };
  const done = await runGoal(astra, goal([approval('send', { deciders: { subjects: ['ann'] } })]), async (id) => {
    const { id: approvalId } = await pendingApproval(id);
    expect(await run('ann', ['approval', 'delegate', approvalId, 'bob', '--comment', 'away'])).toContain(
      'bob has your vote',
    );
    const shown = await run('bob', ['approval', 'get', approvalId]);
    expect(shown).toContain('deciders  ann');
    expect(shown).toContain('by ann to bob: away');
    await run('bob', ['approval', 'decide', approvalId, 'approve']);
  });
  expect(done.view.status).toBe('completed');
  const rules = [{ tool: 'shell.*', decision: 'ask', required: 2 }];
  await run('boss', ['approval-policy', 'set', '-'], JSON.stringify({ rules }));
  expect((await astra.approvalPolicies.get()).rules).toEqual(rules);
  expect(await run('boss', ['approval-policy', 'get'])).toMatch(/shell[.][*] +any +any +ask +2 to approve/);
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
