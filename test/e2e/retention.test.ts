import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runInProcess } from '../../cli/test-support/run-in-process.ts';
import { loadConfig } from '../../platform/config.ts';
import type { Astra, GoalSubmission } from '../../sdk/index.ts';
import { createDeletionStore } from '../../stores/postgres/deletions.ts';
import { createPool } from '../../stores/postgres/pool.ts';
import { startSystem, type System } from '../support/e2e/system.ts';
import { approval, child, echo, goalOf, type Task } from '../support/e2e/tasks.ts';
import { connectTemporal, type Temporal } from '../support/e2e/temporal.ts';
import { awaitApproval } from '../support/e2e/await-task.ts';
import { connectTraces, type Traces } from '../support/e2e/traces.ts';
import { until } from '../support/until.ts';

let system: System;
let traces: Traces;
let temporal: Temporal;
beforeAll(async () => {
  system = await startSystem({ env: { ASTRA_LOG_LEVEL: 'info' } });
  traces = await connectTraces(system.env);
  temporal = await connectTemporal(system.env);
});
afterAll(async () => {
  await traces[Symbol.asyncDispose]();
  await temporal[Symbol.asyncDispose]();
  await system.stop();
});

const all = 'goals:read goals:write approvals:write admin';
const newTenant = (): string => `t-${randomBytes(6).toString('hex')}`;
const admin = (tenant: string, subject = 'admin'): Promise<Astra> => system.clientFor({ tenant, subject, scope: all });

const write = (id: string, text: string): Task => ({
  id,
  kind: 'tool',
  tool: 'artifact.write',
  input: { name: `${id}.txt`, mediaType: 'text/plain', text },
});
/** Artifacts, an output that is one, a sub-goal, a map and a cached answer. */
const rich = (text: string): GoalSubmission =>
  goalOf(
    [
      write('own', text),
      echo('large', 'x'.repeat(20_000) + text),
      child('child', goalOf([write('below', `${text} below`)])),
      {
        id: 'each',
        kind: 'map',
        over: '[1, 2]',
        task: { kind: 'tool', tool: 'text.render', input: { template: text, data: {} } },
      },
    ],
    '{{ tasks.large.output }}',
  );

async function run(astra: Astra, submission: GoalSubmission, key?: string): Promise<string> {
  const { id } = await astra.goals.submit(submission, { idempotencyKey: key });
  expect(await astra.goals.result(id, { timeoutMs: 60_000 })).toMatchObject({ status: 'completed' });
  return id;
}
async function childOf(astra: Astra, id: string): Promise<string> {
  const { childGoalId } = await astra.goals.task(id, 'child');
  return childGoalId ?? expect.fail('the goal has no sub-goal');
}
async function listOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
/** The mark in Redis goes by itself. */
const expectGone = async (...texts: readonly string[]): Promise<void> => {
  let found: readonly string[] = [];
  await until(
    async () => (found = await traces.find(...texts)).length === 0,
    `nothing is left of ${texts.join(', ')}`,
    { timeoutSeconds: 40 },
  ).catch((error: unknown) => expect(found, String(error)).toEqual([]));
};
const notFound = expect.objectContaining({ code: 'ASTRA_NOT_FOUND' }) as unknown;

describe('a goal that has ended', () => {
  test('is deleted with its sub-goals; bytes that another goal has stay; its key starts a new goal', async () => {
    const tenant = newTenant();
    const astra = await admin(tenant);
    const key = randomBytes(8).toString('hex');
    const id = await run(astra, rich('shared'), key);
    const childId = await childOf(astra, id);
    const other = await run(astra, goalOf([write('own', 'shared')]));
    expect(await traces.find(id, childId)).not.toEqual([]);

    const deletion = await astra.goals.delete(id);
    expect(deletion).toMatchObject({ kind: 'goal', status: 'completed' });
    expect(deletion.removed).toMatchObject({ goals: 2, objects: 2, executions: 2 });
    await expect(astra.goals.get(id)).rejects.toEqual(notFound);
    await expect(astra.goals.graph(childId)).rejects.toEqual(notFound);
    await expect(astra.goals.delete(id)).rejects.toEqual(notFound);
    await expectGone(id, childId);

    const [artifact] = await listOf(astra.goals.artifacts(other));
    const download = await astra.artifacts.download(artifact?.id ?? '');
    expect(await download.text()).toBe('shared');

    // With another body: nothing of the old goal is taken for the new one's.
    const again = await run(astra, goalOf([echo('own', 'new')], '{{ tasks.own.output }}'), key);
    expect(again).toBe(id);
    expect(await astra.goals.result(again)).toMatchObject({ output: 'new' });
    await astra.goals.delete(other);
    await expectGone(other);
  });

  test('is deleted by those alone who may; one that runs, or stands in one that runs, is not', async () => {
    const tenant = newTenant();
    const astra = await admin(tenant);
    const user = await system.clientFor({ tenant });
    const { id } = await astra.goals.submit(
      goalOf([child('child', goalOf([echo('a', 1)])), approval('ask', { after: ['child'] })]),
    );
    await until(
      async () => (await astra.goals.task(id, 'child').catch(() => null))?.status === 'completed',
      'the sub-goal has ended',
    );
    const childId = await childOf(astra, id);
    await expect(user.goals.delete(id)).rejects.toMatchObject({ code: 'ASTRA_FORBIDDEN' });
    for (const running of [id, childId]) {
      await expect(astra.goals.delete(running)).rejects.toMatchObject({ code: 'ASTRA_GOAL_RUNNING', status: 409 });
    }
    const stranger = await admin(newTenant());
    await expect(stranger.goals.delete(id)).rejects.toEqual(notFound);
    await astra.goals.cancel(id);
    await astra.goals.result(id);
    await astra.goals.delete(id);
    await expectGone(id, childId);
  });
});

describe('a policy', () => {
  test('archives goals whose time has come, whole, and then deletes them', async () => {
    const tenant = newTenant();
    const astra = await admin(tenant);
    const id = await run(astra, rich('archived'));
    const childId = await childOf(astra, id);
    const events = await listOf(astra.goals.history(id));
    const view = await astra.goals.get(id);
    expect(await astra.retention.get()).toEqual({});
    const policy = { completed: { days: 0, archive: true }, failed: { days: 30, archive: false } };
    expect(await astra.retention.set(policy)).toEqual(policy);

    await until(async () => (await astra.archive.list()).items.length === 2, 'both goals are archived');
    await until(
      () =>
        astra.goals.get(id).then(
          () => false,
          () => true,
        ),
      'the goal is deleted',
    );
    const archived = await astra.archive.get(id);
    expect(archived).toMatchObject({ goalId: id, status: 'completed', parentGoalId: null, createdAt: view.createdAt });
    expect(archived.artifacts.map(({ name }) => name).toSorted()).toEqual(['output.json', 'own.txt']);
    expect(await astra.archive.get(childId)).toMatchObject({ parentGoalId: id });

    const record = (await (await astra.archive.download(id)).text()).trim().split('\n');
    // Astra wrote it.
    const lines = record.map((line) => JSON.parse(line) as Record<string, Record<string, unknown>>);
    expect(lines.flatMap(({ event }) => event ?? [])).toEqual(events);
    expect(lines[0]?.['goal']).toMatchObject({
      head: { id, objective: 'test' },
      state: { seq: view.seq },
      submittedBy: 'admin',
    });
    expect(lines.flatMap(({ task }) => task?.['id'] ?? [])).toEqual([
      'child',
      'each',
      'each.0',
      'each.1',
      'large',
      'own',
    ]);
    const own = archived.artifacts.find(({ name }) => name === 'own.txt');
    const bytes = await astra.archive.downloadArtifact(id, own?.id ?? '');
    expect(await bytes.text()).toBe('archived');

    // Of the archive alone something is left.
    await until(
      async () => (await traces.find(id, childId)).every((trace) => /^archived_goals$|^s3 archive/.test(trace)),
      'only the archive knows the goals',
      { timeoutSeconds: 40 },
    );
    await astra.retention.set({});
    expect(await astra.goals.delete(id)).toMatchObject({ status: 'completed' });
    await expectGone(id, childId);
  });

  test('is the tenant’s own, and only who administers it sets it', async () => {
    const user = await system.clientFor({ tenant: newTenant() });
    expect(await user.retention.get()).toEqual({});
    await expect(user.retention.set({})).rejects.toMatchObject({ code: 'ASTRA_FORBIDDEN' });
    const astra = await admin(newTenant());
    // @ts-expect-error A field that there is not.
    await expect(astra.retention.set({ running: { days: 1, archive: true } })).rejects.toMatchObject({
      code: 'ASTRA_BODY_INVALID',
      faults: [{ pointer: '/running' }],
    });
  });
});

test('a subject is forgotten: its goals are gone, its votes on goals of others name nobody', async () => {
  const tenant = newTenant();
  const subject = `ann-${randomBytes(6).toString('hex')}@example.com`;
  const [astra, ann] = await Promise.all([admin(tenant), admin(tenant, subject)]);
  const ownEnded = await run(ann, rich('hers'));
  const { id: ownRunning } = await ann.goals.submit(goalOf([approval('ask')]));
  const { id: voted } = await astra.goals.submit(goalOf([approval('ask')]));
  const pending = async (): Promise<string> =>
    (await astra.approvals.list({ goalId: voted, status: 'pending' })).items[0]?.id ?? '';
  await until(async () => (await pending()) !== '', 'the goal asks');
  await ann.approvals.decide(await pending(), { decision: 'approved', comment: 'I, Ann, agree' });
  await astra.goals.result(voted);

  const { id } = await astra.subjects.forget(subject);
  const deletion = await astra.deletions.result(id, { timeoutMs: 60_000 });
  expect(deletion).toMatchObject({ kind: 'subject', removed: { goals: 3, votes: 1 } });
  await expectGone(subject, ownEnded, ownRunning);
  expect(await traces.find('I, Ann')).toEqual([]);

  const { votes } = (await astra.approvals.list({ goalId: voted })).items[0] ?? expect.fail('the approval is gone');
  expect(votes).toMatchObject([
    { subject: expect.stringMatching(/^forgotten-/) as unknown, decision: 'approved', comment: null },
  ]);
  const decided = (await listOf(astra.goals.history(voted))).find(({ type }) => type === 'approval.decided');
  expect(decided?.data).toMatchObject({ subject: votes[0]?.subject, comment: null });
  expect(await temporal.count(`WorkflowId = "${temporal.workflowId(voted)}"`)).toBe(0);
});

test('a subject is forgotten where it changed goals of others, and where it may decide', async () => {
  const tenant = newTenant();
  const subject = `ann-${randomBytes(6).toString('hex')}@example.com`;
  const [astra, ann] = await Promise.all([admin(tenant), admin(tenant, subject)]);
  const deciders = { subjects: [subject, 'admin'] };
  const asks = goalOf([approval('ask', { deciders })]);
  const agree = async (goalId: string): Promise<void> => {
    const { id } = await awaitApproval(astra, goalId);
    await astra.approvals.decide(id, { decision: 'approved' });
    expect(await astra.goals.result(goalId)).toMatchObject({ status: 'completed' });
  };

  const retried = await run(astra, goalOf([echo('a', 1)]));
  await ann.goals.retry(retried, { tasks: ['a'] });
  await astra.goals.result(retried);
  const { id: amended } = await astra.goals.submit(asks);
  await awaitApproval(astra, amended);
  await ann.goals.amendPlan(amended, { baseRevision: 1, add: [echo('more', 1)] });
  await agree(amended);
  await ann.approvalPolicies.set([{ tool: 'none', decision: 'ask', deciders }]);
  await system.fetch('/v1/templates/asks', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ plan: asks.plan }),
    as: await system.tokenFor({ tenant }),
  });
  const cron = '0 3 1 1 *';
  await astra.schedules.create({ name: 'yearly', cron, overlap: 'allow', goal: asks });
  const scheduled = (await astra.schedules.trigger('yearly')).recentRuns[0]?.goalId ?? expect.fail('it has not run');
  await agree(scheduled);
  const ofTenant = `AstraTenant = "${tenant}"`;
  const named = [amended, retried, scheduled].map(temporal.workflowId);
  const naming = (): Promise<string[]> => temporal.withText(ofTenant, subject);
  await until(async () => (await naming()).length > named.length, 'the index has them, and the run');
  expect(await naming()).toEqual(expect.arrayContaining(named));

  const { id } = await astra.subjects.forget(subject);
  await astra.deletions.result(id, { timeoutMs: 90_000 });
  await expectGone(subject);
  expect(await naming()).toEqual([]);

  const pseudonym = expect.stringMatching(/^forgotten-/) as unknown;
  const nobody = { deciders: { subjects: [pseudonym, 'admin'] } };
  const by = async (goalId: string, type: string): Promise<unknown> =>
    (await listOf(astra.goals.history(goalId))).find((event) => event.type === type)?.data;
  expect(await by(retried, 'goal.retried')).toMatchObject({ by: pseudonym });
  expect(await by(amended, 'plan.amended')).toMatchObject({ by: pseudonym, added: ['more'] });
  expect((await astra.goals.plan(amended)).plan.tasks[0]).toMatchObject(nobody);
  expect(await astra.approvalPolicies.get()).toMatchObject({ updatedBy: pseudonym, rules: [nobody] });
  const schedule = await astra.schedules.get('yearly');
  expect(schedule).toMatchObject({ cron, overlap: 'allow', paused: false, goal: { plan: { tasks: [nobody] } } });
  expect(schedule.nextRuns).toContain(`${new Date().getUTCFullYear() + 1}-01-01T03:00:00.000Z`);
});

test('a tenant is deleted: what runs is stopped, and nothing has its name any more', async () => {
  const tenant = newTenant();
  const astra = await admin(tenant);
  const ids = [await run(astra, rich('theirs')), await run(astra, goalOf([write('own', 'theirs too')]))];
  const { id: running } = await astra.goals.submit(goalOf([approval('ask')]));
  await until(async () => (await astra.approvals.list()).items.length === 1, 'the goal asks');
  await astra.limits.put('at-once', { key: 'tenant', concurrency: 1, strategy: 'queue' });
  const plan = { tasks: [{ id: 'a', kind: 'wait', seconds: 1 }] } as const;
  await system.fetch('/v1/templates/theirs', {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ plan }),
    as: await system.tokenFor({ tenant }),
  });
  await astra.retention.set({ failed: { days: 3, archive: true } });
  const revoked = await system.tokenFor({ tenant, subject: 'gone', scope: all });
  await astra.tokens.revoke(revoked);
  await temporal.client.schedule.create({
    scheduleId: `schedule/${tenant}/nightly`,
    spec: { intervals: [{ every: '1 day' }] },
    action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
  });
  // A neighbour, whose name begins like its own.
  const neighbour = await admin(`${tenant}x`);
  const kept = await run(neighbour, goalOf([write('own', 'theirs')]));

  await expect(astra.tenant.delete('another')).rejects.toMatchObject({ faults: [{ pointer: '/confirm' }] });
  const user = await system.clientFor({ tenant });
  await expect(user.tenant.delete(tenant)).rejects.toMatchObject({ code: 'ASTRA_FORBIDDEN' });
  const { id } = await astra.tenant.delete(tenant);
  await expect(neighbour.deletions.get(id)).rejects.toEqual(notFound);
  const deletion = await astra.deletions.result(id, { timeoutMs: 90_000 });
  expect(deletion).toMatchObject({ kind: 'tenant', status: 'completed', removed: { goals: 4 } });
  for (const each of [...ids, running]) await expect(astra.goals.get(each)).rejects.toEqual(notFound);

  let found: readonly string[] = [];
  const isTheirs = (trace: string): boolean => !trace.includes(`${tenant}x`);
  const left = async (): Promise<readonly string[]> =>
    (found = (await traces.find(...ids, running, tenant)).filter(isTheirs));
  await until(
    async () => {
      const names = await left();
      // Tables in which the neighbour is are looked at by the tenant's own name below.
      return names.every((name) => !/[ :/]/.test(name));
    },
    `no key, object or execution is left: ${found.join(', ')}`,
    { timeoutSeconds: 40 },
  );
  expect(await traces.find(...ids, running, `${tenant},`, `${tenant}"`)).toEqual([]);
  expect(await neighbour.goals.get(kept)).toMatchObject({ status: 'completed' });
  // As before, and for ever.
  const response = await system.fetch('/v1/me', { as: revoked });
  expect(response.status).toBe(401);

  const lines = await system.log('worker');
  const audit = lines.find((line) => line['deletionId'] === id);
  expect(audit).toMatchObject({ msg: 'a deletion is completed', kind: 'tenant', goals: 4 });
  expect(JSON.stringify(audit)).not.toContain(tenant);
});

test('a deletion that nobody has begun is begun by the sweep', async () => {
  const tenant = newTenant();
  const astra = await admin(tenant);
  const id = await run(astra, goalOf([echo('a', 1)]));
  const pool = createPool(loadConfig(system.env), { maxConnections: 1 });
  onTestFinished(() => pool.end());
  // As an API process leaves it that dies after its first write.
  const { id: deletionId } = await createDeletionStore(pool).create({ kind: 'tenant', tenant });
  await astra.retention.set({});
  await astra.deletions.result(deletionId, { timeoutMs: 60_000 });
  await expectGone(id, tenant);
});

test('the command line does all of it', async () => {
  const tenant = newTenant();
  const token = await system.tokenFor({ tenant, subject: 'cli', scope: all });
  const astra = await admin(tenant, 'cli');
  const [first, second] = [await run(astra, goalOf([echo('a', 1)])), await run(astra, goalOf([write('own', 'mine')]))];
  const directory = await mkdtemp(join(tmpdir(), 'astra-archive-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const cli = async (...args: string[]): Promise<string> => {
    const ran = await runInProcess(system.apiUrl, args, { cwd: directory, env: { ASTRA_TOKEN: token } });
    expect(ran.stderr, args.join(' ')).not.toMatch(/error/i);
    expect(ran.exitCode).toBe(0);
    return ran.stdout;
  };

  expect(await cli('goal', 'delete', first)).toMatch(/^1 goals, 0 objects, 1 executions deleted/);
  expect(await cli('retention', 'set', '--completed', '0,archive')).toMatch(/completed +0 days +archived and deleted/);
  await until(async () => (await cli('archive', 'list')).includes(second), 'the goal is archived');
  expect(await cli('archive', 'get', second)).toMatch(/^\{"goal":/);
  const paths = (await cli('archive', 'get', second, '--download', 'out')).trim().split('\n');
  expect(paths).toEqual([join(directory, 'out', `${second}.ndjson`), join(directory, 'out', 'own.txt')]);
  expect(await readFile(paths[1] ?? '', 'utf8')).toBe('mine');
  expect(await cli('retention', 'get')).toMatch(/failed +ever/);
  expect(await cli('subject', 'forget', 'nobody')).toMatch(/^0 goals/);
  expect(await cli('tenant', 'delete', tenant)).toMatch(/deleted/);
  await expectGone(second, tenant);
});
