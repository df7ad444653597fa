import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Approval, TaskView } from '../../sdk/index.ts';
import { awaitApproval, awaitTask } from '../support/e2e/await-task.ts';
import { finishedGoal, runGoal } from '../support/e2e/finished-goal.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, echo, goalOf, type Task } from '../support/e2e/tasks.ts';

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const taskIn = (goalId: string, taskId: string, status: TaskView['status']): Promise<TaskView> =>
  awaitTask(system.astra, goalId, taskId, status);
const pendingApproval = (goalId: string): Promise<Approval> => awaitApproval(system.astra, goalId);

describe('waits', () => {
  const hook = (id: string, rest: Partial<Task> = {}): Task =>
    ({ id, kind: 'wait', event: 'payment.received', ...rest }) as Task;

  test('for a time last as long, and say until when', async () => {
    const goal = await runGoal(system.astra, goalOf([{ id: 'nap', kind: 'wait', seconds: 1.5 }]), async (id) => {
      const { waitingFor, startedAt } = await taskIn(id, 'nap', 'running');
      expect(waitingFor?.kind).toBe('timer');
      expect(Date.parse(waitingFor!.until!) - Date.parse(startedAt!)).toBeGreaterThanOrEqual(1_490);
    });
    const { startedAt, finishedAt, output } = goal.task('nap');
    expect(Date.parse(finishedAt!) - Date.parse(startedAt!)).toBeGreaterThanOrEqual(1_490);
    expect(output).toBeNull();
  });

  test('for an event end with its data', async () => {
    const goal = await runGoal(system.astra, goalOf([hook('hook')], '{{ tasks.hook.output.usd }}'), async (id) => {
      const { waitingFor } = await taskIn(id, 'hook', 'running');
      expect(waitingFor).toEqual({ kind: 'event', detail: 'payment.received', until: null });
      await system.astra.goals.sendEvent(id, { name: 'another.event', data: { usd: '0' } });
      await system.astra.goals.sendEvent(id, { name: 'payment.received', data: { usd: '3.50' } });
    });
    expect(goal.view).toMatchObject({ status: 'completed', output: '3.50' });
  });

  test('take events that came before them, the oldest first, each once', async () => {
    const tasks: Task[] = [
      { id: 'nap', kind: 'wait', seconds: 1 },
      hook('first', { after: ['nap'] }),
      hook('second', { after: ['first'] }),
    ];
    const goal = await runGoal(
      system.astra,
      goalOf(tasks, '{{ [tasks.first.output.n, tasks.second.output.n] }}'),
      async (id) => {
        for (const n of [1, 2]) await system.astra.goals.sendEvent(id, { name: 'payment.received', data: { n } });
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: [1, 2] });
  });

  test('for an event that does not come end in time', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([hook('hook', { timeoutSeconds: 0.5, onFailure: 'continue' })], '{{ tasks.hook.output }}'),
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: null });
    expect(goal.task('hook')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_WAIT_TIMEOUT' } });
  });
});

describe('approvals of tasks', () => {
  test('show their input, and give it on as it was edited', async () => {
    const asked = approval('send', {
      prompt: 'Send to {{ tasks.pick.output }}?',
      input: { to: '{{ tasks.pick.output }}', copies: 1 },
    });
    const goal = await runGoal(
      system.astra,
      goalOf([echo('pick', 'ann'), asked], '{{ tasks.send.output }}'),
      async (id) => {
        const task = await taskIn(id, 'send', 'awaiting_approval');
        const pending = await pendingApproval(id);
        expect(task.waitingFor).toMatchObject({ kind: 'approval', detail: pending.id });
        expect(pending).toMatchObject({
          kind: 'task',
          taskId: 'send',
          prompt: 'Send to ann?',
          input: { to: 'ann', copies: 1 },
          required: 1,
          votes: [],
        });
        const edit = { decision: 'approved', comment: 'to bob', editedInput: { to: 'bob' } } as const;
        expect(await system.astra.approvals.decide(pending.id, edit)).toMatchObject({
          status: 'approved',
          votes: [{ subject: 'tester', decision: 'approved', comment: 'to bob' }],
        });
      },
    );
    expect(goal.view).toMatchObject({ status: 'completed', output: { to: 'bob' } });
    expect(goal.typesOf('send')).toEqual(['approval.requested', 'approval.decided', 'task.completed']);
  });

  test('that are rejected fail their task', async () => {
    const goal = await runGoal(
      system.astra,
      goalOf([approval('ok', { required: 3 }), echo('next', 1, { after: ['ok'] })]),
      async (id) => {
        const rejected = await system.astra.approvals.decide((await pendingApproval(id)).id, { decision: 'rejected' });
        expect(rejected.status).toBe('rejected');
      },
    );
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_TASK_FAILED' } });
    expect(goal.task('ok')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_APPROVAL_REJECTED' } });
    expect(goal.task('next').status).toBe('skipped');
  });

  test('count the votes of different people, each once', async () => {
    const other = await system.clientFor({ subject: 'second' });
    const approve = { decision: 'approved' } as const;
    let approvalId = '';
    const goal = await runGoal(system.astra, goalOf([approval('ok', { required: 2 })]), async (id) => {
      approvalId = (await pendingApproval(id)).id;
      expect(await system.astra.approvals.decide(approvalId, approve)).toMatchObject({ status: 'pending' });
      await expect(system.astra.approvals.decide(approvalId, approve)).rejects.toMatchObject({
        code: 'ASTRA_APPROVAL_DECIDED',
        status: 409,
      });
      const strangers = await system.clientFor({ tenant: 'another' });
      await expect(strangers.approvals.decide(approvalId, approve)).rejects.toMatchObject({ status: 404 });
      const reader = await system.clientFor({ subject: 'third', scope: 'goals:read goals:write' });
      await expect(reader.approvals.decide(approvalId, approve)).rejects.toMatchObject({ status: 403 });
      expect(await other.approvals.decide(approvalId, approve)).toMatchObject({ status: 'approved' });
    });
    expect(goal.view.status).toBe('completed');
    const { votes } = await system.astra.approvals.get(approvalId);
    expect(votes.map(({ subject }) => subject)).toEqual(['tester', 'second']);
    const third = await system.clientFor({ subject: 'third' });
    await expect(third.approvals.decide(approvalId, approve)).rejects.toMatchObject({ code: 'ASTRA_APPROVAL_DECIDED' });
  });

  test('that do not exist are not found', async () => {
    const { id } = await system.astra.goals.submit(goalOf([echo('a', 1)]));
    await finishedGoal(system.astra, id);
    const decision = system.astra.approvals.decide(`apr_${id.slice(4)}.nothing`, { decision: 'approved' });
    await expect(decision).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND', status: 404 });
  });

  test('expire, and are closed then', async () => {
    let approvalId = '';
    const goal = await runGoal(system.astra, goalOf([approval('ok', { expiresSeconds: 1 })]), async (id) => {
      const pending = await pendingApproval(id);
      approvalId = pending.id;
      expect(Date.parse(pending.expiresAt!) - Date.parse(pending.requestedAt)).toBeGreaterThanOrEqual(990);
    });
    expect(goal.task('ok')).toMatchObject({ status: 'failed', error: { code: 'ASTRA_APPROVAL_EXPIRED' } });
    expect(goal.typesOf('ok')).toEqual(['approval.requested', 'approval.expired', 'task.failed']);
    expect((await system.astra.approvals.get(approvalId)).status).toBe('expired');
    await expect(system.astra.approvals.decide(approvalId, { decision: 'approved' })).rejects.toMatchObject({
      code: 'ASTRA_APPROVAL_DECIDED',
    });
  });
});

describe('approvals of plans', () => {
  const submission = goalOf([echo('a', 1)], '{{ tasks.a.output }}', { approval: { plan: 'required', required: 2 } });

  test('hold every task until enough people have agreed', async () => {
    const other = await system.clientFor({ subject: 'second' });
    const goal = await runGoal(system.astra, submission, async (id) => {
      const pending = await pendingApproval(id);
      expect(pending).toMatchObject({ kind: 'plan', taskId: null, required: 2 });
      const view = await system.astra.goals.get(id);
      expect(view).toMatchObject({ status: 'awaiting_approval', startedAt: null, plan: { taskCount: 1 } });
      const [task] = (await system.astra.goals.graph(id)).tasks;
      expect(task).toMatchObject({ status: 'pending', waitingFor: { kind: 'approval', detail: pending.id } });
      await system.astra.approvals.decide(pending.id, { decision: 'approved' });
      expect((await system.astra.goals.get(id)).status).toBe('awaiting_approval');
      await other.approvals.decide(pending.id, { decision: 'approved' });
    });
    expect(goal.view).toMatchObject({ status: 'completed', output: 1 });
    const types = goal.events.map(({ type }) => type);
    expect(types.filter((type) => type !== 'task.started')).toEqual([
      'goal.submitted',
      'plan.proposed',
      'approval.requested',
      'approval.decided',
      'approval.decided',
      'plan.approved',
      'task.completed',
      'goal.completed',
    ]);
  });

  test('that are refused end the goal before any task began', async () => {
    const goal = await runGoal(system.astra, submission, async (id) => {
      await system.astra.approvals.decide((await pendingApproval(id)).id, { decision: 'rejected', comment: 'no' });
    });
    expect(goal.view).toMatchObject({ status: 'failed', error: { code: 'ASTRA_APPROVAL_REJECTED' } });
    expect(goal.task('a')).toMatchObject({ status: 'skipped', startedAt: null });
    expect(goal.events.map(({ type }) => type)).toContain('plan.rejected');
  });
});

test('waits, approvals and their votes outlive the worker', async () => {
  const tasks: Task[] = [
    approval('ok', { required: 2 }),
    { id: 'hook', kind: 'wait', event: 'go' },
    { id: 'nap', kind: 'wait', seconds: 1 },
  ];
  const other = await system.clientFor({ subject: 'second' });
  const goal = await runGoal(system.astra, goalOf(tasks, '{{ tasks.hook.output }}'), async (id) => {
    const { id: approvalId } = await pendingApproval(id);
    await taskIn(id, 'hook', 'running');
    await system.astra.approvals.decide(approvalId, { decision: 'approved' });
    await system.restartWorker();
    await system.astra.goals.sendEvent(id, { name: 'go', data: { still: 'here' } });
    await other.approvals.decide(approvalId, { decision: 'approved' });
  });
  expect(goal.view).toMatchObject({ status: 'completed', output: { still: 'here' } });
});

test('nothing unexpected was logged', async () => {
  const lines = [...(await system.log('worker')), ...(await system.log('api'))];
  expect(lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});
