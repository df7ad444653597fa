import type { Pool, QueryResultRow } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { ArchivedGoal } from '../../domain/schemas/retention.ts';
import { createApprovalStore } from '../postgres/approvals.ts';
import { createArtifactList } from '../postgres/artifacts.ts';
import type { Page } from '../postgres/cursor.ts';
import { query } from '../postgres/query.ts';
import { readEvents } from '../postgres/read-goal.ts';
import { postgresError } from '../postgres/postgres-error.ts';

const pageSize = 500;

/** What the archive's index says of a goal before it is written. */
export interface GoalToArchive extends Pick<
  ArchivedGoal,
  'goalId' | 'parentGoalId' | 'status' | 'createdAt' | 'finishedAt' | 'artifacts'
> {
  readonly submittedBy: string | null;
}

/** Null: nothing is recorded of it, or it has not ended. @throws ASTRA_UNAVAILABLE */
export async function findGoalToArchive(pool: Pool, { tenant, goalId }: GoalRef): Promise<GoalToArchive | null> {
  const [goal] = await query<{
    readonly parent_goal_id: GoalId | null;
    readonly status: ArchivedGoal['status'];
    readonly created_at: Date;
    readonly finished_at: Date;
    readonly submitted_by: string | null;
  }>(pool, {
    text: `SELECT parent_goal_id, status, created_at, finished_at, submitted_by FROM goals
      WHERE tenant = $1 AND goal_id = $2 AND finished_at IS NOT NULL`,
    values: [tenant, goalId],
  });
  if (!goal) return null;
  const list = createArtifactList(pool);
  const artifacts: ArchivedGoal['artifacts'] = [];
  for await (const record of pages((cursor) => list.ofGoal(tenant, goalId, { limit: pageSize, cursor }))) {
    const { id, name, mediaType, sizeBytes, sha256 } = record;
    artifacts.push({ id, name, mediaType, sizeBytes, sha256 });
  }
  return {
    goalId,
    parentGoalId: goal.parent_goal_id,
    status: goal.status,
    createdAt: goal.created_at.toISOString(),
    finishedAt: goal.finished_at.toISOString(),
    submittedBy: goal.submitted_by,
    artifacts,
  };
}

/**
 * A goal's record as lines of JSON, each an object whose one key says what it is: the goal, the revisions of its plan, its
 * events, its tasks and items with their outputs, its approvals, its artifacts.
 * @throws ASTRA_UNAVAILABLE
 */
export async function* goalLines(pool: Pool, goal: GoalRef): AsyncGenerator<string, void, undefined> {
  const { tenant, goalId } = goal;
  yield* goalAndPlans(pool, goal);
  for (let afterSeq = 0; ;) {
    const events = await orUnavailable(readEvents(pool, goal, { afterSeq, limit: pageSize }));
    for (const event of events) yield `{"event":${JSON.stringify(event)}}`;
    afterSeq = events.at(-1)?.seq ?? afterSeq;
    if (events.length < pageSize) break;
  }
  yield* taskLines(pool, goal);
  const approvals = createApprovalStore(pool);
  for await (const each of pages((cursor) => approvals.list(tenant, { goalId }, { limit: pageSize, cursor }))) {
    yield `{"approval":${JSON.stringify(each)}}`;
  }
  const artifacts = createArtifactList(pool);
  for await (const each of pages((cursor) => artifacts.ofGoal(tenant, goalId, { limit: pageSize, cursor }))) {
    yield `{"artifact":${JSON.stringify(each)}}`;
  }
}

/** JSON is not parsed on its way: it comes as it was recorded. */
async function* goalAndPlans(pool: Pool, { tenant, goalId }: GoalRef): AsyncGenerator<string, void, undefined> {
  const lines = await query<{ line: string }>(pool, {
    text: `SELECT '{"goal":{"head":' || head::text || ',"state":' || state::text || ',"documents":' || documents::text ||
        ',"submittedBy":' || coalesce(to_json(submitted_by)::text, 'null') || '}}' AS line
      FROM goals WHERE tenant = $1 AND goal_id = $2`,
    values: [tenant, goalId],
  });
  for (const { line } of lines) yield line;
  const plans = await query<{ line: string }>(pool, {
    text: `SELECT '{"plan":{"revision":' || revision || ',"plan":' || plan::text || ',"params":' || params::text || '}}' AS line
      FROM plans WHERE tenant = $1 AND goal_id = $2 ORDER BY revision`,
    values: [tenant, goalId],
  });
  for (const { line } of plans) yield line;
}

interface TaskRow extends QueryResultRow {
  readonly task_id: string;
  readonly item: number;
  readonly parts: string;
}

async function* taskLines(pool: Pool, { tenant, goalId }: GoalRef): AsyncGenerator<string, void, undefined> {
  let last: TaskRow | undefined;
  for (;;) {
    const rows = await query<TaskRow>(pool, {
      text: `SELECT task_id, item, '"state":' || state::text || coalesce(',"output":' || output::text, '') ||
          coalesce(',"artifact":' || artifact::text, '') AS parts
        FROM tasks WHERE tenant = $1 AND goal_id = $2 AND (task_id, item) > ($3, $4)
        ORDER BY task_id, item LIMIT ${pageSize}`,
      values: [tenant, goalId, last?.task_id ?? '', last?.item ?? -1],
    });
    for (const { task_id: id, item, parts } of rows) {
      yield `{"task":{"id":${JSON.stringify(item < 0 ? id : itemTaskId(id, item))},${parts}}}`;
    }
    last = rows.at(-1);
    if (rows.length < pageSize) return;
  }
}

async function* pages<T>(page: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T, void, undefined> {
  let cursor: string | null | undefined;
  do {
    const { items, nextCursor } = await page(cursor ?? undefined);
    yield* items;
    cursor = nextCursor;
  } while (cursor !== null);
}

async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw postgresError(error);
  }
}
