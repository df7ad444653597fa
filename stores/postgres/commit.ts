import type { ClientBase, Pool, QueryConfig } from 'pg';
import { goalKey, type GoalWrite } from '../goal-write.ts';
import { inTransaction } from './transaction.ts';
import { commitColumns, deliveryColumns, parkedColumns } from './commit-columns.ts';
import { ledgerClauses, ledgerColumns, lockLedger } from './commit-ledger.ts';
import { parkedClauses } from './commit-parked.ts';

/**
 * One statement for a group of goals.
 *
 * 1. A goal moves only from the `seq` its write was made for; of a goal that did not move nothing at all is written.
 * 2. Existing goals are locked in the order of their keys, then new ones are inserted in that order: two groups that
 *    share goals wait for one another and never deadlock.
 * 3. Whoever holds a goal's row is the only one to write its other rows, so those inserts meet no conflict but their own
 *    older versions.
 * 4. Budgets are locked before goals, and who holds a goal alone wants no budget.
 */
const main = `
WITH wanted AS (
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::text[], $6::json[], $7::text[], $8::timestamptz[])
    AS w(tenant, goal_id, base, seq, status, state, marks, finished_at)
), locked AS (
  SELECT w.* FROM goals g JOIN wanted w ON g.tenant = w.tenant AND g.goal_id = w.goal_id
  WHERE g.seq = w.base ORDER BY g.tenant, g.goal_id FOR UPDATE OF g
), moved AS (
  UPDATE goals g SET seq = l.seq, status = l.status, state = l.state, marks = l.marks, finished_at = l.finished_at
  FROM locked l WHERE g.tenant = l.tenant AND g.goal_id = l.goal_id
  RETURNING g.tenant, g.goal_id, g.awaited
), created AS (
  INSERT INTO goals (tenant, goal_id, seq, status, state, marks, finished_at, head, documents, labels, template,
    parent_goal_id, priority, body_hash, created_at, cascade_id, submitted_by, awaited)
  SELECT n.*, EXISTS (SELECT FROM goal_waits w WHERE w.tenant = n.tenant AND w.awaited_goal_id = n.goal_id)
  FROM unnest($9::text[], $10::text[], $11::bigint[], $12::text[], $13::json[], $14::text[], $15::timestamptz[],
    $16::json[], $17::json[], $18::jsonb[], $19::text[], $20::text[], $21::smallint[], $22::text[], $23::timestamptz[],
    $69::text[], $70::text[]) AS n(tenant, goal_id, seq, status, state, marks, finished_at, head, documents, labels, template,
    parent_goal_id, priority, body_hash, created_at, cascade_id, submitted_by)
  ON CONFLICT DO NOTHING
  RETURNING tenant, goal_id, awaited
), done AS (
  SELECT tenant, goal_id, awaited FROM moved UNION ALL SELECT tenant, goal_id, awaited FROM created
), new_events AS (
  INSERT INTO events (tenant, goal_id, seq, type, task_id, attempt, at, data)
  SELECT e.* FROM unnest($24::text[], $25::text[], $26::bigint[], $27::text[], $28::text[], $29::integer[],
    $30::timestamptz[], $31::json[]) AS e(tenant, goal_id, seq, type, task_id, attempt, at, data)
  JOIN done ON done.tenant = e.tenant AND done.goal_id = e.goal_id
), new_tasks AS (
  INSERT INTO tasks (tenant, goal_id, task_id, item, status, attempt, seq, state, output, artifact)
  SELECT t.* FROM unnest($32::text[], $33::text[], $34::text[], $35::integer[], $36::text[], $37::integer[],
    $38::bigint[], $39::json[], $40::json[], $41::json[])
    AS t(tenant, goal_id, task_id, item, status, attempt, seq, state, output, artifact)
  JOIN done ON done.tenant = t.tenant AND done.goal_id = t.goal_id
  ON CONFLICT (tenant, goal_id, task_id, item) DO UPDATE SET status = excluded.status, attempt = excluded.attempt,
    seq = excluded.seq, state = excluded.state, output = excluded.output, artifact = excluded.artifact
), new_plans AS (
  INSERT INTO plans (tenant, goal_id, revision, plan, outline, params)
  SELECT p.* FROM unnest($42::text[], $43::text[], $44::integer[], $45::json[], $46::json[], $47::json[])
    AS p(tenant, goal_id, revision, plan, outline, params)
  JOIN done ON done.tenant = p.tenant AND done.goal_id = p.goal_id
  ON CONFLICT DO NOTHING
), new_artifacts AS (
  INSERT INTO artifacts (tenant, goal_id, task_id, artifact_id, sha256, name, media_type, size_bytes, created_at)
  SELECT a.* FROM unnest($48::text[], $49::text[], $50::text[], $51::text[], $52::text[], $53::text[], $54::text[],
    $55::bigint[], $56::timestamptz[])
    AS a(tenant, goal_id, task_id, artifact_id, sha256, name, media_type, size_bytes, created_at)
  JOIN done ON done.tenant = a.tenant AND done.goal_id = a.goal_id
  ON CONFLICT DO NOTHING
), new_approvals AS (
  INSERT INTO approvals (tenant, goal_id, task_id, approval_id, kind, prompt, input, status, required, votes,
    requested_at, expires_at, details)
  SELECT a.* FROM unnest($57::text[], $58::text[], $59::text[], $60::text[], $61::text[], $62::text[], $63::json[],
    $64::text[], $65::integer[], $66::json[], $67::timestamptz[], $68::timestamptz[], $71::json[])
    AS a(tenant, goal_id, task_id, approval_id, kind, prompt, input, status, required, votes, requested_at, expires_at,
      details)
  JOIN done ON done.tenant = a.tenant AND done.goal_id = a.goal_id
  ON CONFLICT (tenant, approval_id) DO UPDATE SET status = excluded.status, votes = excluded.votes,
    details = excluded.details, expires_at = excluded.expires_at
)`;

const answer = '\nSELECT tenant, goal_id, awaited FROM done';

/** What only some commits write: left out of the statement of the others, which are most, so that those cost what they did. */
interface CommitPart {
  readonly name: string;
  /** Further clauses, whose parameters are counted from $1. */
  readonly clauses: string;
  isIn(write: GoalWrite): boolean;
  columns(writes: readonly GoalWrite[]): unknown[];
}

/** The outbox: deliveries are made if and only if their events are. */
const outbox: CommitPart = {
  name: 'deliveries',
  clauses: `new_deliveries AS (
  INSERT INTO webhook_deliveries (tenant, goal_id, delivery_id, webhook_id, endpoint, url, seq, type, status, attempts,
    created_at, next_attempt_at, give_up_at)
  SELECT d.*, 'pending', 0, now(), now(), now() + interval '24 hours'
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[])
    AS d(tenant, goal_id, delivery_id, webhook_id, endpoint, url, seq, type)
  JOIN done ON done.tenant = d.tenant AND done.goal_id = d.goal_id
  ON CONFLICT DO NOTHING
)`,
  isIn: ({ deliveries }) => deliveries.length > 0,
  columns: deliveryColumns,
};
const ledger: CommitPart = {
  name: 'ledger',
  clauses: ledgerClauses,
  isIn: (write) => write.ledger !== null,
  columns: ledgerColumns,
};

const parked: CommitPart = {
  name: 'parked',
  clauses: parkedClauses,
  isIn: (write) => write.parked !== null,
  columns: parkedColumns,
};

function statementFor(writes: readonly GoalWrite[]): QueryConfig {
  let [name, text] = ['commit-goals', main];
  const values = commitColumns(writes);
  for (const part of [outbox, ledger, parked]) {
    if (!writes.some(part.isIn)) continue;
    const before = values.length;
    name += `-${part.name}`;
    text += `, ${part.clauses.replaceAll(/\$(\d+)/g, (_, n: string) => `$${before + Number(n)}`)}`;
    values.push(...part.columns(writes));
  }
  return { name, text: text + answer, values };
}

/** By `goalKey`: do others wait for the goal? */
type Moved = ReadonlyMap<string, { readonly awaited: boolean }>;

/**
 * Writes what one group commit changes, whole or, on an error, not at all. Answers with the keys (`goalKey`) of the
 * goals that moved, and whether others wait for them; the rest had moved on already, by another process.
 * @param writes at most one a goal
 * @throws what pg throws
 */
export async function commitGoals(db: Pool | ClientBase, writes: readonly GoalWrite[]): Promise<Moved> {
  const ordered = writes.toSorted((a, b) => (goalKey(a.goal) < goalKey(b.goal) ? -1 : 1));
  const isRemoving = ordered.some(({ removed }) => removed.size > 0);
  if (!isRemoving && !ordered.some(ledger.isIn)) return commit(db, ordered);
  return inTransaction(db, async (client) => {
    if (ordered.some(ledger.isIn)) await lockLedger(client, ordered);
    const moved = await commit(client, ordered);
    for (const write of ordered) if (moved.has(goalKey(write.goal))) await removeTasks(client, write);
    return moved;
  });
}

async function commit(db: Pool | ClientBase, ordered: readonly GoalWrite[]): Promise<Moved> {
  const { rows } = await db.query<{ tenant: string; goal_id: string; awaited: boolean }>(statementFor(ordered));
  return new Map(rows.map((row) => [`${row.tenant}/${row.goal_id}`, row]));
}

/** Rare enough for a statement of its own. */
async function removeTasks(db: ClientBase, { goal, removed }: GoalWrite): Promise<void> {
  if (removed.size === 0) return;
  await db.query(
    `DELETE FROM tasks t USING unnest($3::text[], $4::bigint[]) AS r(task_id, seq)
      WHERE t.tenant = $1 AND t.goal_id = $2 AND t.task_id = r.task_id AND t.seq < r.seq`,
    [goal.tenant, goal.goalId, [...removed.keys()], [...removed.values()]],
  );
}
