import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import { loadConfig } from '../../platform/config.ts';
import { createArchiveStore } from '../../stores/archive/archive-store.ts';
import { createArtifactStore } from '../../stores/artifacts/artifact-store.ts';
import { keepInUse } from '../../stores/artifacts/keep-in-use.ts';
import { createAnswerCache } from '../../stores/cache/answer-cache.ts';
import { keys } from '../../stores/cache/keys.ts';
import { removeGoalKeys, removeTenantKeys } from '../../stores/cache/removed-keys.ts';
import { createDeletionStore } from '../../stores/postgres/deletions.ts';
import { createGoalRemovals, type GoalRemovals } from '../../stores/postgres/goal-removals.ts';
import { createRetentionPolicies } from '../../stores/postgres/retention-policies.ts';
import { createRevokedTokenStore } from '../../stores/postgres/revoked-tokens.ts';
import { removeGoalRows, removeTenantRows } from '../../stores/postgres/tenant-rows.ts';
import { createRemovalFollower } from '../../stores/removal-follower.ts';
import { until } from '../support/until.ts';
import { createRecordBench, draft, headOf, planOf, tool, type Process, type RecordBench } from './record-support.ts';

let bench: RecordBench;
let worker: Process;
let removals: GoalRemovals;
const config = loadConfig(inject('stack').env);
const id = (): string => `del_${randomBytes(16).toString('hex')}`;
const onProgress = (): void => undefined;

beforeAll(async () => {
  bench = await createRecordBench();
  worker = await bench.start();
  removals = createGoalRemovals(worker.pool);
});
afterAll(() => bench.stop());

const artifactOf = (sha256: string): Artifact => ({
  id: `art_${randomBytes(20).toString('hex')}`,
  name: 'a.txt',
  mediaType: 'text/plain',
  sizeBytes: 3,
  sha256,
});
const sha = (): string => randomBytes(32).toString('hex');

/** A goal with a task, its artifact, an approval, and an end unless `running`. */
async function newGoal(
  about: {
    readonly parent?: GoalRef;
    readonly sha256?: string;
    readonly running?: true;
    readonly tenant?: string;
  } = {},
): Promise<GoalRef> {
  const goal = { ...bench.newGoal(), ...(about.tenant === undefined ? {} : { tenant: about.tenant }) };
  const head = headOf(goal, { parentGoalId: about.parent?.goalId ?? null });
  const artifact = artifactOf(about.sha256 ?? sha());
  await worker.recorder.record(
    goal,
    [
      draft('goal.submitted', { head }),
      draft('plan.proposed', { outline: planOf([tool('a')]).outline }),
      draft('artifact.created', { artifact }, { taskId: 'a' }),
      draft('approval.requested', {
        approvalId: `apr_${goal.goalId.slice(4)}`,
        kind: 'plan',
        prompt: '?',
        input: null,
        required: 1,
        expiresAt: null,
      }),
      ...(about.running ? [] : [draft('goal.completed', { output: 1 })]),
    ],
    { plan: planOf([tool('a')]) },
  );
  return goal;
}
const mark = (deletionId: string, ...goals: readonly GoalRef[]): Promise<void> =>
  removals.mark(
    { id: deletionId, tenant: bench.tenant },
    goals.map(({ goalId }) => ({ goalId, archive: false })),
  );
const marked = async (deletionId: string): Promise<string[]> =>
  (await removals.list(deletionId, { limit: 100 })).map(({ goalId }) => goalId).toSorted();
const idsOf = (...goals: readonly GoalRef[]): string[] => goals.map(({ goalId }) => goalId).toSorted();

/** Rows of each table that has a tenant. */
async function countRows(tenant: string, goalId?: string): Promise<Record<string, number>> {
  const { rows } = await worker.pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
     WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attname = 'tenant' ORDER BY 1`,
  );
  const counts: Record<string, number> = {};
  for (const { name } of rows) {
    const { rowCount } = await worker.pool.query(
      `SELECT FROM ${name} AS t WHERE tenant = $1 AND position($2 IN t::text) > 0`,
      [tenant, goalId ?? tenant],
    );
    if (rowCount) counts[name] = rowCount;
  }
  return counts;
}

describe('goals marked for removal', () => {
  test('are whole trees of goals that have ended; where one runs, none of the tree', async () => {
    const ended = await newGoal();
    const below = await newGoal({ parent: ended });
    const farBelow = await newGoal({ parent: below });
    const stillRuns = await newGoal();
    await newGoal({ parent: stillRuns, running: true });
    const deletion = id();
    await mark(deletion, ended, stillRuns);
    expect(await marked(deletion)).toEqual(idsOf(ended, below, farBelow));
    // Marked by one deletion, left alone by another.
    await mark(id(), ended);
    expect(await marked(deletion)).toEqual(idsOf(ended, below, farBelow));
  });

  test('lose every row, in any table that knows goals, and leave their neighbours alone', async () => {
    const [goal, neighbour] = [await newGoal(), await newGoal()];
    await worker.pool.query('CREATE TABLE later (tenant text, goal_id text, note text)');
    onTestFinished(async () => {
      await worker.pool.query('DROP TABLE later');
    });
    await worker.pool.query('INSERT INTO later SELECT $1, $2, n::text FROM generate_series(1, 12000) n', [
      goal.tenant,
      goal.goalId,
    ]);
    const deletion = id();
    await mark(deletion, goal);
    const before = await countRows(goal.tenant, neighbour.goalId);
    const removed = await removeGoalRows(worker.pool, { ...goal, goalIds: [goal.goalId] }, { onProgress });
    expect(removed).toMatchObject({ goals: 1 });
    expect(removed.rows).toBeGreaterThan(12_000);
    expect(await countRows(goal.tenant, goal.goalId)).toEqual({ goal_removals: 1 });
    expect(await countRows(goal.tenant, neighbour.goalId)).toEqual(before);
    expect(await removals.list(deletion, { limit: 1 })).toMatchObject([{ goneSeconds: expect.any(Number) as unknown }]);
    // Once more, as after a crash.
    await removeGoalRows(worker.pool, { ...goal, goalIds: [goal.goalId] }, { onProgress });
    await removals.finish(goal.tenant, [goal.goalId]);
    // Its bytes are still to be looked at.
    expect(await marked(deletion)).toEqual(idsOf(goal));
  });

  test('hand over the bytes that nobody else refers to, once', async () => {
    const shared = sha();
    const own = sha();
    const goal = await newGoal({ sha256: shared });
    const other = await newGoal({ sha256: own });
    await newGoal({ sha256: shared });
    const goalIds = [goal.goalId, other.goalId];
    await mark(id(), goal, other);
    await removeGoalRows(worker.pool, { tenant: bench.tenant, goalIds }, { onProgress });
    const handed: string[] = [];
    const remove = async (sha256: string): Promise<void> => void handed.push(sha256);
    expect(await removals.releaseObjects(bench.tenant, goalIds, remove)).toBe(1);
    expect(await removals.releaseObjects(bench.tenant, goalIds, remove)).toBe(0);
    expect(handed).toEqual([own]);
    await removals.finish(bench.tenant, goalIds);
    expect(await countRows(bench.tenant, other.goalId)).toEqual({});
  });

  test('wait with their bytes for tools that were running when they went', async () => {
    const goal = await newGoal();
    const busy = bench.newGoal();
    const plan = planOf([tool('work')]);
    const drafts = [draft('goal.submitted', { head: headOf(busy) }), draft('plan.proposed', { outline: plan.outline })];
    await worker.recorder.record(busy, [...drafts, draft('task.started', {}, { taskId: 'work' })], { plan });
    await mark(id(), goal);
    await removeGoalRows(worker.pool, { ...goal, goalIds: [goal.goalId] }, { onProgress });
    expect(await removals.mayBeShared(goal.tenant, [goal.goalId])).toBe(true);
    await worker.recorder.record(busy, [
      draft('task.completed', { output: 1, startedAt: headOf(busy).createdAt }, { taskId: 'work' }),
    ]);
    expect(await removals.mayBeShared(goal.tenant, [goal.goalId])).toBe(false);
  });
});

test('workers forget what is gone, and keep bytes that are written again', async () => {
  const bytes = randomBytes(40);
  const store = createArtifactStore(config);
  onTestFinished(() => store.close());
  const { sha256 } = await store.put(bench.tenant, { name: 'a', mediaType: 'text/plain', bytes });
  const goal = await newGoal({ sha256 });
  const gone: ((key: string) => boolean)[] = [];
  const follower = createRemovalFollower(removals, {
    onGone: (isGone) => gone.push(isGone),
    logger: { warn: () => undefined },
  });
  onTestFinished(() => follower.close());
  await mark(id(), goal);
  expect(follower.isLeaving(goal.tenant, sha256)).toBe(false);
  await removeGoalRows(worker.pool, { ...goal, goalIds: [goal.goalId] }, { onProgress });
  await until(() => follower.isLeaving(goal.tenant, sha256), 'the worker is told', { timeoutSeconds: 2 });
  const isGone = gone.at(-1);
  expect(isGone?.(`${goal.tenant}/${goal.goalId}`)).toBe(true);
  expect(isGone?.(`${goal.tenant}/gol_other`)).toBe(false);

  // The recorder had it in memory: as it was submitted again under the same id, it is new.
  worker.recorder.forget(isGone ?? expect.fail('nobody was told'));
  await expect(worker.recorder.head(goal)).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
  await worker.recorder.record(goal, [draft('goal.submitted', { head: headOf(goal, { objective: 'again' }) })]);
  expect(await worker.recorder.head(goal)).toMatchObject({ objective: 'again' });

  await keepInUse(store, { follower, removals }).put(bench.tenant, { name: 'b', mediaType: 'text/plain', bytes });
  const handed: string[] = [];
  await removals.releaseObjects(goal.tenant, [goal.goalId], async (each) => void handed.push(each));
  expect(handed).toEqual([]);
});

test('Redis keeps nothing of a goal that is gone, takes no old view of it, and the views of a new one', async () => {
  const goal = await newGoal();
  const { viewCache, redis, reader } = worker;
  const old = (await viewCache.snapshot(goal)) ?? expect.fail('the view is not there');
  await redis.xadd(keys.live(goal), '*', 'text', 'x');
  await removeGoalKeys(redis, [goal]);
  expect(await redis.exists(keys.live(goal))).toBe(0);
  // A slow reader, who had read Postgres before.
  await viewCache.fill(goal, old, { status: 'completed' });
  expect(await viewCache.view(goal)).toBeNull();
  expect(await redis.hgetall(keys.goal(goal))).toEqual({ gone: '1' });
  expect(await redis.ttl(keys.goal(goal))).toBeLessThanOrEqual(15);

  await mark(id(), goal);
  await removeGoalRows(worker.pool, { ...goal, goalIds: [goal.goalId] }, { onProgress });
  worker.recorder.forget(() => true);
  await worker.recorder.record(goal, [draft('goal.submitted', { head: headOf(goal, { objective: 'again' }) })]);
  expect(JSON.parse((await reader.view(goal.tenant, goal.goalId))?.json ?? '')).toMatchObject({
    objective: 'again',
    seq: 1,
  });
  expect(await redis.hexists(keys.goal(goal), 'gone')).toBe(0);

  expect(await removeTenantKeys(redis, goal.tenant)).toBeGreaterThan(0);
  expect(await redis.keys(`astra:${goal.tenant}:*`)).toEqual([]);
});

test('a tenant loses every row; its revoked tokens stay revoked, and are nobody’s', async () => {
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const goal = await newGoal({ tenant });
  const neighbour = await newGoal({ tenant: `${tenant}x` });
  const tokens = createRevokedTokenStore(worker.pool);
  const token = { id: sha(), expiresAtMs: Date.now() + 60_000 };
  await tokens.add(tenant, token);
  await createRetentionPolicies(worker.pool).put(tenant, { failed: { days: 1, archive: false } });
  expect(await removeTenantRows(worker.pool, tenant, { onProgress })).toMatchObject({ goals: 1 });
  expect(await countRows(tenant)).toEqual({});
  expect(await countRows(neighbour.tenant)).not.toEqual({});
  expect((await tokens.list()).map((each) => each.id)).toContain(token.id);
  expect(await countRows(tenant, goal.goalId)).toEqual({});
});

test('cached answers of one tenant go, in Memcached and in Redis', async () => {
  for (const memcachedServers of [config.MEMCACHED_SERVERS, []]) {
    const { redis } = worker;
    const logger = { info: () => undefined, warn: () => undefined };
    const answers = createAnswerCache({ memcachedServers, redis, logger });
    onTestFinished(() => answers.close());
    const [tenant, other] = [`t-${randomBytes(6).toString('hex')}`, `t-${randomBytes(6).toString('hex')}`];
    const key = (whose: string, n: number) => ({ tenant: whose, tool: 'a', input: { n } });
    for (let n = 0; n < 50; n += 1) await answers.set(key(tenant, n), n, { ttlSeconds: 60 });
    await answers.set(key(other, 1), 1, { ttlSeconds: 60 });
    expect(await answers.removeTenant(tenant)).toBe(50);
    expect(await answers.get(key(tenant, 3))).toBeUndefined();
    expect(await answers.get(key(other, 1))).toBe(1);
    expect(await answers.removeTenant(tenant)).toBe(0);
  }
});

test('policies: the days count from the end, statuses are apart, sub-goals wait for their parents', async () => {
  const tenant = `t-${randomBytes(6).toString('hex')}`;
  const policies = createRetentionPolicies(worker.pool);
  const root = await newGoal({ tenant });
  await newGoal({ tenant, parent: root });
  const busy = await newGoal({ tenant });
  await newGoal({ tenant, parent: busy, running: true });
  expect(await policies.get(tenant)).toEqual({});
  await policies.put(tenant, { failed: { days: 0, archive: true } });
  expect(await policies.due(tenant, { limit: 10 })).toEqual([]);
  const policy = { completed: { days: 0, archive: true }, cancelled: { days: 7, archive: false } };
  await policies.put(tenant, policy);
  expect(await policies.get(tenant)).toEqual(policy);
  expect(await policies.due(tenant, { limit: 10 })).toEqual([{ goalId: root.goalId, archive: true }]);
  expect(await policies.tenantsWithDue()).toContain(tenant);
  await policies.put(tenant, { completed: { days: 36_500, archive: true } });
  expect(await policies.due(tenant, { limit: 10 })).toEqual([]);
});

test('a deletion is its tenant’s, the same for the same key, and says nothing once it is completed', async () => {
  const deletions = createDeletionStore(worker.pool);
  const request = { kind: 'tenant', tenant: `t-${randomBytes(6).toString('hex')}` } as const;
  const created = await deletions.create(request, { key: 'k' });
  expect(created).toMatchObject({
    kind: 'tenant',
    status: 'running',
    finishedAt: null,
    removed: { goals: 0, votes: 0 },
  });
  expect(await deletions.create(request, { key: 'k' })).toEqual(created);
  expect((await deletions.create(request)).id).not.toBe(created.id);
  expect(await deletions.get('another', created.id)).toBeNull();
  expect(await deletions.open(created.id)).toMatchObject({ request });
  expect(await deletions.underWay()).toContain(created.id);
  await deletions.count(created.id, { goals: 2, objects: 1 });
  expect(await deletions.complete(created.id)).toMatchObject({
    status: 'completed',
    removed: { goals: 2, objects: 1 },
  });
  expect(await deletions.complete(created.id)).toBeNull();
  expect(await deletions.open(created.id)).toBeNull();
  const { rows } = await worker.pool.query('SELECT t::text AS text FROM deletions t WHERE deletion_id = $1', [
    created.id,
  ]);
  expect(JSON.stringify(rows)).not.toContain(request.tenant);
});

test('an archive larger than a part comes back line by line as it was written', async () => {
  const archive = createArchiveStore(config);
  onTestFinished(() => archive.close());
  const goal = bench.newGoal();
  // Beyond two parts; with what other readers of lines take for the end of one.
  const lines = Array.from(
    { length: 5_000 },
    (_, index) => `{"task":"${itemTaskId('ä\u2028', index)}${'y'.repeat(8_000)}"}`,
  );
  async function* written() {
    yield* lines;
  }
  const sizeBytes = await archive.write(goal, written());
  expect(sizeBytes).toBe(lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0));
  let count = 0;
  for await (const line of archive.read(goal)) {
    if (line !== lines[count]) expect(line).toBe(lines[count]);
    count += 1;
  }
  expect(count).toBe(lines.length);
  expect(await archive.remove(goal)).toBe(1);
  await expect(archive.read(goal)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'ASTRA_NOT_FOUND' });
});
