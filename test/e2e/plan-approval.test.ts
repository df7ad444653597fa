import { afterAll, beforeAll, expect, test } from 'vitest';
import { isAstraError, type Astra, type PlanChange, type PlanProposal } from '../../sdk/index.ts';
import { awaitTask } from '../support/e2e/await-task.ts';
import { runGoal, type FinishedGoal } from '../support/e2e/finished-goal.ts';
import { dataOf } from '../support/e2e/events-of.ts';
import { startScriptedHttp, type ScriptedHttp } from '../support/e2e/scripted-http.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, echo, fetching, goalOf } from '../support/e2e/tasks.ts';
import { until } from '../support/until.ts';

let system: System;
let web: ScriptedHttp;
let bob: Astra;
beforeAll(async () => {
  web = await startScriptedHttp();
  system = await startSystem({ env: { ASTRA_EGRESS_ALLOW: '127.0.0.1' } });
  bob = await system.clientFor({ subject: 'bob' });
});
afterAll(async () => {
  await system.stop();
  await web.stop();
});

const codeOf = (error: unknown): string => (isAstraError(error) ? error.code : String(error));
const refusal = (call: Promise<unknown>): Promise<string> => call.then(() => 'none', codeOf);

/** Waits at `gate`, which `open` opens, and ends with what `end` says. */
const goalAt = (path: string) =>
  goalOf(
    [
      fetching('done', `${web.url}/${path}`),
      approval('gate', { after: ['done'] }),
      echo('end', 'old', { after: ['gate'] }),
    ],
    '{{ tasks.end.output }}',
  );
const toNew: PlanChange = {
  baseRevision: 1,
  replace: [echo('end', 'new', { after: ['gate'] })],
  add: [echo('more', 1)],
  reason: 'newer',
};
async function open(goalId: string): Promise<void> {
  const { items } = await system.astra.approvals.list({ goalId, status: 'pending' });
  await system.astra.approvals.decide(items.find(({ taskId }) => taskId === 'gate')?.id ?? '', {
    decision: 'approved',
  });
}
/** Resolves when the approval says what came of its change. */
const settled = (id: string): Promise<void> =>
  until(async () => {
    const { change } = await system.astra.approvals.get(id);
    return change?.revision !== null || change.error !== null;
  }, 'the change is made, or refused');

interface Asked extends FinishedGoal {
  readonly proposal: PlanProposal;
}

/** @param drive what happens once people are asked; then the gate is opened */
async function runAsked(
  path: string,
  options: Parameters<Astra['goals']['proposeAmendment']>[2],
  drive: (proposal: PlanProposal) => Promise<unknown>,
): Promise<Asked> {
  let asked: PlanProposal | undefined;
  const goal = await runGoal(system.astra, goalAt(path), async (id) => {
    await awaitTask(system.astra, id, 'gate', 'awaiting_approval');
    asked = await system.astra.goals.proposeAmendment(id, toNew, options);
    await drive(asked);
    await open(id);
  });
  return { ...goal, proposal: asked! };
}

test('a change that people approve is made, and the goal goes on meanwhile', async () => {
  const { goals, approvals } = system.astra;
  const goal = await runAsked('approved', { approval: { required: 2 }, idempotencyKey: 'once' }, async (proposal) => {
    const { goalId: id, approvalId } = proposal;
    expect(proposal).toMatchObject({
      diff: { added: ['more'], removed: [], replaced: ['end'], kept: ['done', 'gate'] },
      estimate: { usd: '0' },
    });
    expect(await goals.get(id)).toMatchObject({ status: 'running', plan: { revision: 1 } });
    expect(await approvals.get(approvalId)).toMatchObject({
      kind: 'plan',
      goalId: id,
      taskId: null,
      required: 2,
      input: { change: toNew, diff: proposal.diff, estimate: proposal.estimate },
      change: { baseRevision: 1, revision: null, error: null },
    });
    // Asked once, however often it is requested.
    const again = await goals.proposeAmendment(id, toNew, { approval: { required: 2 }, idempotencyKey: 'once' });
    expect(again).toEqual(proposal);
    expect((await approvals.list({ goalId: id, status: 'pending' })).items).toHaveLength(2);
    expect(await refusal(approvals.decide(approvalId, { decision: 'approved', editedInput: {} }))).toBe(
      'ASTRA_BODY_INVALID',
    );
    await approvals.decide(approvalId, { decision: 'approved' });
    expect(await refusal(approvals.decide(approvalId, { decision: 'approved' }))).toBe('ASTRA_APPROVAL_DECIDED');
    expect(await goals.get(id)).toMatchObject({ plan: { revision: 1 } });
    await bob.approvals.decide(approvalId, { decision: 'approved' });
    await settled(approvalId);
    expect(await approvals.get(approvalId)).toMatchObject({ status: 'approved', change: { revision: 2, error: null } });
  });
  expect(goal.view).toMatchObject({ status: 'completed', output: 'new', plan: { revision: 2, taskCount: 4 } });
  const { approvalId } = goal.proposal;
  expect(dataOf(goal.events, 'plan.amended')).toMatchObject([{ by: 'tester', reason: 'newer', approvalId }]);
  expect(web.paths.filter((path) => path === '/approved')).toHaveLength(1);
});

test('a change that is rejected changes nothing', async () => {
  const goal = await runAsked('rejected', {}, ({ approvalId }) =>
    system.astra.approvals.decide(approvalId, { decision: 'rejected', comment: 'no' }),
  );
  const { approvalId } = goal.proposal;
  expect(goal.view).toMatchObject({ status: 'completed', output: 'old', plan: { revision: 1 } });
  expect(dataOf(goal.events, 'plan.rejected')).toMatchObject([
    { revision: 1, approvalId, error: { code: 'ASTRA_APPROVAL_REJECTED' } },
  ]);
  expect(await system.astra.approvals.get(approvalId)).toMatchObject({
    status: 'rejected',
    change: { revision: null, error: { code: 'ASTRA_APPROVAL_REJECTED' } },
  });
});

test('a change that nobody decides in time is not made, unless that counts as approved', async () => {
  const expired = await runAsked('expired', { approval: { expiresSeconds: 1 } }, ({ approvalId }) =>
    settled(approvalId),
  );
  expect(expired.view).toMatchObject({ status: 'completed', output: 'old' });
  expect(dataOf(expired.events, 'plan.rejected')).toMatchObject([{ error: { code: 'ASTRA_APPROVAL_EXPIRED' } }]);

  const terms = { expiresSeconds: 1, onExpiry: 'approve' } as const;
  const made = await runAsked('made', { approval: terms }, ({ approvalId }) => settled(approvalId));
  expect(made.view).toMatchObject({ status: 'completed', output: 'new', plan: { revision: 2 } });
});

test('a change that does not fit any more is refused when it is approved', async () => {
  const { goals, approvals } = system.astra;
  const goal = await runAsked('stale', {}, async ({ goalId, approvalId }) => {
    await goals.amendPlan(goalId, { baseRevision: 1, add: [echo('between', 1)] });
    await approvals.decide(approvalId, { decision: 'approved' });
    await settled(approvalId);
    expect(await approvals.get(approvalId)).toMatchObject({
      status: 'approved',
      change: { revision: null, error: { code: 'ASTRA_PLAN_CONFLICT' } },
    });
  });
  expect(goal.view).toMatchObject({ status: 'completed', output: 'old', plan: { revision: 2 } });
  expect(dataOf(goal.events, 'plan.rejected')).toMatchObject([{ error: { code: 'ASTRA_PLAN_CONFLICT' } }]);

  // A task that it would replace has finished.
  const done = goalOf(
    [approval('gate'), echo('quick', 1), approval('hold', { after: ['gate'] })],
    '{{ tasks.quick.output }}',
  );
  const finished = await runGoal(system.astra, done, async (id) => {
    await awaitTask(system.astra, id, 'gate', 'awaiting_approval');
    const change = { baseRevision: 1, remove: ['gate'], replace: [approval('hold', { after: ['quick'] })] };
    const { approvalId } = await goals.proposeAmendment(id, change);
    await open(id);
    await awaitTask(system.astra, id, 'hold', 'awaiting_approval');
    await approvals.decide(approvalId, { decision: 'approved' });
    await settled(approvalId);
    const { items } = await approvals.list({ goalId: id, status: 'pending' });
    expect(items.map(({ taskId }) => taskId)).toEqual(['hold']);
    await approvals.decide(items[0]!.id, { decision: 'approved' });
  });
  expect(finished.view).toMatchObject({ status: 'completed', plan: { revision: 1 } });
  expect(dataOf(finished.events, 'plan.rejected')).toMatchObject([{ error: { code: 'ASTRA_PLAN_CONFLICT' } }]);
});

test('a question that is open when the goal ends is closed', async () => {
  const { approvals, goals } = system.astra;
  const goal = await runAsked('closed', {}, async () => undefined);
  const { approvalId } = goal.proposal;
  expect(goal.view).toMatchObject({ status: 'completed', output: 'old' });
  expect(await approvals.get(approvalId)).toMatchObject({ status: 'cancelled', change: { revision: null } });
  expect(await refusal(approvals.decide(approvalId, { decision: 'approved' }))).toBe('ASTRA_APPROVAL_DECIDED');
  expect(await refusal(goals.proposeAmendment(goal.id, toNew))).toBe('ASTRA_GOAL_FINISHED');
});

test('a change is refused at once where it would be without approval, and for terms that say nothing', async () => {
  const { goals } = system.astra;
  const { id } = await goals.submit(goalAt('refused'));
  await awaitTask(system.astra, id, 'gate', 'awaiting_approval');
  expect(await refusal(goals.proposeAmendment(id, { ...toNew, baseRevision: 7 }))).toBe('ASTRA_PLAN_CONFLICT');
  expect(await refusal(goals.proposeAmendment(id, { baseRevision: 1, remove: ['nobody'] }))).toBe('ASTRA_PLAN_INVALID');
  const approval = { onExpiry: 'approve' } as const;
  expect(await refusal(goals.proposeAmendment(id, toNew, { approval }))).toBe('ASTRA_BODY_INVALID');
  await goals.cancel(id);
});

test('a question outlives the worker, and so does what was decided', async () => {
  const goal = await runAsked('killed', {}, async ({ approvalId }) => {
    system.kill('worker');
    await until(
      async () =>
        (await system.astra.approvals.decide(approvalId, { decision: 'approved' }).catch(() => null)) !== null ||
        (await system.astra.approvals.get(approvalId)).status === 'approved',
      'the vote is taken',
    );
    system.kill('worker');
    await settled(approvalId);
  });
  expect(goal.view).toMatchObject({ status: 'completed', output: 'new', plan: { revision: 2 } });
  expect(dataOf(goal.events, 'plan.amended')).toHaveLength(1);
  expect(web.paths.filter((path) => path === '/killed')).toHaveLength(1);
});
