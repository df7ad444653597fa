import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { archiveGoal } from '../../activities/retention/archive-goal.ts';
import type { Erasure, Executions } from '../../activities/retention/deps.ts';
import { eraseSubject } from '../../activities/retention/erase-subject.ts';
import { approvalId } from '../../domain/ids.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { loadConfig } from '../../platform/config.ts';
import { createArchiveStore, type ArchiveStore } from '../../stores/archive/archive-store.ts';
import { createObjectRemoval, type ObjectRemoval } from '../../stores/artifacts/object-removal.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { createArchivedGoals } from '../../stores/postgres/archived-goals.ts';
import { createDeletionStore, type SubjectRequest } from '../../stores/postgres/deletions.ts';
import { createGoalRemovals } from '../../stores/postgres/goal-removals.ts';
import { createRetentionPolicies } from '../../stores/postgres/retention-policies.ts';
import { createSubjectRecords } from '../../stores/postgres/subjects.ts';
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

async function newGoal(tenant: string, submittedBy?: string): Promise<GoalRef> {
  const goal = { ...bench.newGoal(), tenant };
  const plan = planOf([tool('a')]);
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
  expect(executions.calls).toEqual([`stop ${own.goalId}`, `remove ${own.goalId}`, `remove ${voted.goalId}`]);
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
