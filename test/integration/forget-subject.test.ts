import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { archiveGoal } from '../../activities/retention/archive-goal.ts';
import type { Erasure, Executions } from '../../activities/retention/deps.ts';
import { eraseSubject } from '../../activities/retention/erase-subject.ts';
import { approvalId } from '../../domain/ids.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { ApprovalTerms } from '../../domain/schemas/approval.ts';
import type { PolicyRule } from '../../domain/schemas/approval-policy.ts';
import type { Plan } from '../../domain/schemas/plan.ts';
import { loadConfig } from '../../platform/config.ts';
import { createArchiveStore, type ArchiveStore } from '../../stores/archive/archive-store.ts';
import { createObjectRemoval, type ObjectRemoval } from '../../stores/artifacts/object-removal.ts';
import { createApprovalPolicyStore } from '../../stores/postgres/approval-policies.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { createArchivedGoals } from '../../stores/postgres/archived-goals.ts';
import { createDeletionStore, type SubjectRequest } from '../../stores/postgres/deletions.ts';
import { createGoalRemovals } from '../../stores/postgres/goal-removals.ts';
import { createPlanProposals } from '../../stores/postgres/plan-proposals.ts';
import { readEvents } from '../../stores/postgres/read-goal.ts';
import { createRetentionPolicies } from '../../stores/postgres/retention-policies.ts';
import { createSubjectRecords } from '../../stores/postgres/subjects.ts';
import { createTemplateStore } from '../../stores/postgres/templates.ts';
import { createRecordBench, draft, headOf, planOf, tool, type Process, type RecordBench } from './record-support.ts';

let bench: RecordBench;
let worker: Process;
let archive: ArchiveStore;
let objects: ObjectRemoval;
beforeAll(async () => {
  bench = await createRecordBench();
  worker = await bench.start();
  const config = loadConfig(inject('stack').env);
  archive = createArchiveStore(config);
  objects = createObjectRemoval(config);
});
afterAll(async () => {
  archive.close();
  objects.close();
  await bench.stop();
});

const ann = 'ann@example.com';
const pseudonym = 'forgotten-1';

/** Temporal is looked at by the end-to-end tests. */
function recordingExecutions(): Executions & { readonly calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    stop: async (ids) => void calls.push(`stop ${ids.join(' ')}`),
    remove: async (ids) => calls.push(`remove ${ids.join(' ')}`) && ids.length,
    countRunning: async () => 0,
    cancelTenant: async () => undefined,
    removeTenant: async () => 0,
    startErasure: async () => undefined,
    renameInSchedules: async (tenant) => void calls.push(`schedules of ${tenant}`),
    removeScheduledRuns: async () => ({ removed: 0, running: 0 }),
  };
}

/** Runs the job until it has nothing to do for longer than a moment. @returns how long it wants to wait; null: it is done */
async function forget(deletionId: string, executions: Executions): Promise<number | null> {
  const deletions = createDeletionStore(worker.pool);
  for (;;) {
    const deletion = await deletions.open(deletionId);
    if (deletion?.request.kind !== 'subject') throw new Error('there is no such deletion');
    const erasure: Erasure<SubjectRequest> = {
      pool: worker.pool,
      redis: worker.redis,
      answers: { removeTenant: async () => 0 },
      objects,
      archive,
      archivedGoals: createArchivedGoals(worker.pool),
      policies: createRetentionPolicies(worker.pool),
      deletions,
      removals: createGoalRemovals(worker.pool),
      subjects: createSubjectRecords(worker.pool),
      executionsOf: () => executions,
      logger: { info: () => undefined },
      deletion: { ...deletion, request: deletion.request },
      executions,
      count: (removed) => deletions.count(deletionId, removed),
      onProgress: () => undefined,
    };
    const waitSeconds = await eraseSubject(erasure);
    if (waitSeconds === null || waitSeconds > 10) return waitSeconds;
    // Marks wait until workers have been told, which nobody is here.
    await worker.pool.query(`UPDATE goal_removals SET gone_at = gone_at - interval '10 s'`);
  }
}

async function newGoal(tenant: string, submittedBy?: string, terms: ApprovalTerms = {}): Promise<GoalRef> {
  const goal = { ...bench.newGoal(), tenant };
  const planned = planOf([tool('a')]);
  const asks: Plan = { tasks: [{ id: 'a', kind: 'approval', prompt: 'May it?', ...terms }] };
  const plan = { ...planned, plan: asks };
  const asked = { kind: 'plan', prompt: 'May it?', input: { to: ann }, required: 2, expiresAt: null } as const;
  await worker.recorder.record(
    goal,
    [
      draft('goal.submitted', { head: headOf(goal) }),
      draft('plan.proposed', { outline: plan.outline }),
      draft('approval.requested', { approvalId: approvalId(goal.goalId, null), ...asked }),
    ],
    { plan, submission: { documents: [], bodyHash: null, submittedBy } },
  );
  return goal;
}
const vote = (goal: GoalRef, subject: string) =>
  worker.recorder.record(goal, [
    draft('approval.decided', {
      approvalId: approvalId(goal.goalId, null),
      subject,
      decision: 'approved',
      comment: `so says ${subject}`,
      status: 'pending',
    }),
  ]);
const end = (goal: GoalRef) => worker.recorder.record(goal, [draft('goal.completed', { output: 1 })]);
const fail = (goal: GoalRef) =>
  worker.recorder.record(goal, [
    draft('goal.failed', { error: { code: 'ASTRA_TASK_FAILED', message: 'no', retryable: false } }),
  ]);
const votesOf = async ({ tenant, goalId }: GoalRef) =>
  (await createApprovalStore(worker.pool).get(tenant, approvalId(goalId, null)))?.votes.map(({ subject, comment }) => [
    subject,
    comment,
  ]);

test('goals that the subject submitted go, its votes elsewhere name nobody, goals that still run are waited for', async () => {
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const [own, voted, open, archivedOwn, archivedVoted, none] = [
    await newGoal(tenant, ann),
    await newGoal(tenant, 'bob'),
    await newGoal(tenant),
    await newGoal(tenant, ann),
    await newGoal(tenant, 'bob'),
    await newGoal(tenant, 'annika@example.com'),
  ];
  for (const goal of [voted, open, archivedVoted]) {
    await vote(goal, 'bob');
    await vote(goal, ann);
  }
  for (const goal of [voted, archivedOwn, archivedVoted, none]) await end(goal);
  const archivedGoals = createArchivedGoals(worker.pool);
  const removals = createGoalRemovals(worker.pool);
  for (const goal of [archivedOwn, archivedVoted]) {
    await archiveGoal({ pool: worker.pool, archive, archivedGoals, removals }, goal);
    // As a policy leaves them.
    for (const table of ['goals', 'events', 'tasks', 'plans', 'approvals']) {
      await worker.pool.query(`DELETE FROM ${table} WHERE tenant = $1 AND goal_id = $2`, [tenant, goal.goalId]);
    }
  }

  const request = { kind: 'subject', tenant, subject: ann, pseudonym, stage: 'goals', after: '', waiting: 0 } as const;
  const deletions = createDeletionStore(worker.pool);
  const { id } = await deletions.create(request);
  const executions = recordingExecutions();
  expect(await forget(id, executions), 'a goal that runs is waited for').toBe(60);
  expect(executions.calls).toEqual([
    ...[`stop ${own.goalId}`, `remove ${own.goalId}`],
    ...[`schedules of ${tenant}`, `remove ${voted.goalId}`],
  ]);
  expect(await votesOf(own)).toBeUndefined();
  expect(await votesOf(voted)).toEqual([
    ['bob', 'so says bob'],
    [pseudonym, null],
  ]);
  expect((await votesOf(open))?.[1]).toEqual([ann, `so says ${ann}`]);

  worker.recorder.forget(() => true);
  await end(open);
  expect(await forget(id, executions)).toBeNull();
  expect((await votesOf(open))?.[1]).toEqual([pseudonym, null]);
  expect(await archivedGoals.get(tenant, archivedOwn.goalId)).toBeNull();
  expect(await archivedGoals.get(tenant, archivedVoted.goalId)).toMatchObject({ status: 'completed' });
  const lines: string[] = [];
  for await (const line of archive.read(archivedVoted)) lines.push(line);
  const named = lines.filter((line) => line.includes(`"${ann}"`));
  // What was asked about is the goal's.
  expect(named.every((line) => line.includes(`"input":{"to":"${ann}"}`))).toBe(true);
  expect(lines.join('')).not.toContain(`so says ${ann}`);
  expect(lines.filter((line) => line.includes(pseudonym))).toHaveLength(2);
  expect(await deletions.complete(id)).toMatchObject({ removed: { goals: 1, votes: 3, executions: 3 } });
  const { rows } = await worker.pool.query('SELECT submitted_by FROM goals WHERE tenant = $1 ORDER BY 1', [tenant]);
  expect(rows).toEqual([{ submitted_by: 'annika@example.com' }, { submitted_by: 'bob' }, { submitted_by: null }]);
});

test('what it changed in goals of others, where it may decide, and what the settings say of it, names nobody', async () => {
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const [amended, retried, decider, proposed] = [
    await newGoal(tenant, 'bob'),
    await newGoal(tenant, 'bob'),
    await newGoal(tenant, 'bob', { deciders: { subjects: ['bob', ann] } }),
    await newGoal(tenant, 'bob'),
  ];
  const twoTasks = planOf([tool('a'), tool('b')]);
  const changed = { ...twoTasks.outline, revision: 2 };
  const plan = { ...twoTasks, outline: changed };
  const nothing = { added: ['b'], removed: [], replaced: [], reason: null };
  await worker.recorder.record(
    amended,
    [draft('plan.amended', { outline: changed, ...nothing, by: ann, changeId: 'c1' })],
    { plan },
  );
  for (const goal of [amended, retried, decider, proposed]) await fail(goal);
  await worker.recorder.record(
    retried,
    [draft('goal.retried', { run: 2, outline: changed, restarted: ['a'], by: ann, changeId: 'c2' })],
    { plan },
  );
  await fail(retried);
  const rule: PolicyRule = { tool: '*', decision: 'ask', deciders: { subjects: [ann] } };
  const ask: Plan = { tasks: [{ id: 'ask', kind: 'approval', prompt: 'May it?', deciders: rule.deciders }] };
  const proposals = createPlanProposals(worker.pool);
  await proposals.keep(proposed, 'c3', { change: { baseRevision: 1, plan: ask } });
  const policies = createApprovalPolicyStore(worker.pool);
  await policies.put(tenant, { rules: [rule] }, ann);
  const templates = createTemplateStore(worker.pool);
  await templates.put(tenant, { name: 'asks', description: '', params: {}, objective: 'x', plan: ask });
  const before = await policies.get(tenant);
  expect(await tablesNaming(tenant)).toEqual([
    ...['approval_policies', 'approvals', 'events', 'plan_proposals', 'plans', 'templates'],
  ]);
  // As a policy leaves it.
  const removals = createGoalRemovals(worker.pool);
  const archivedGoals = createArchivedGoals(worker.pool);
  await archiveGoal({ pool: worker.pool, archive, archivedGoals, removals }, amended);

  const request = { kind: 'subject', tenant, subject: ann, pseudonym, stage: 'goals', after: '', waiting: 0 } as const;
  const { id } = await createDeletionStore(worker.pool).create(request);
  expect(await forget(id, recordingExecutions())).toBeNull();
  // What was asked about is the goal's: see newGoal.
  await worker.pool.query('UPDATE approvals SET input = NULL WHERE tenant = $1', [tenant]);
  await worker.pool.query(`DELETE FROM events WHERE tenant = $1 AND type = 'approval.requested'`, [tenant]);
  expect(await tablesNaming(tenant)).toEqual([]);
  for await (const line of archive.read(amended)) {
    if (!line.includes('"input"')) expect(line).not.toContain(ann);
  }

  const event = async ({ goalId }: GoalRef, type: string): Promise<unknown> =>
    (await readEvents(worker.pool, { tenant, goalId }, { afterSeq: 0, limit: 50 })).find((each) => each.type === type)
      ?.data;
  expect(await event(amended, 'plan.amended')).toEqual({ outline: changed, ...nothing, by: pseudonym, changeId: 'c1' });
  expect(await event(retried, 'goal.retried')).toMatchObject({ by: pseudonym, changeId: 'c2' });
  const asksNobody = { subjects: [pseudonym] };
  const policy = await policies.get(tenant);
  expect(policy).toMatchObject({ updatedBy: pseudonym, rules: [{ ...rule, deciders: asksNobody }] });
  expect(policy.updatedAt, 'workers read it again').not.toBe(before.updatedAt);
  expect((await templates.get(tenant, 'asks'))?.plan.tasks).toMatchObject([{ id: 'ask', deciders: asksNobody }]);
  expect((await proposals.get(proposed, 'c3'))?.change.plan?.tasks).toMatchObject([{ deciders: asksNobody }]);
});

/** Tables of the tenant that have the subject's name anywhere. */
async function tablesNaming(tenant: string): Promise<string[]> {
  const { rows: tables } = await worker.pool.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'tenant' ORDER BY 1`,
  );
  const naming: string[] = [];
  for (const { name } of tables) {
    const { rowCount } = await worker.pool.query(
      `SELECT FROM ${name} AS t WHERE tenant = $1 AND position($2 IN t::text) > 0 LIMIT 1`,
      [tenant, ann],
    );
    if (rowCount) naming.push(name);
  }
  return naming;
}
