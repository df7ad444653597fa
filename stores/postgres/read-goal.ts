import type { ClientBase, Pool } from 'pg';
import type { TaskState } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId, parseTaskId } from '../../domain/ids.ts';
import type { Json } from '../../domain/json.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { GoalEvent, Output } from '../../domain/schemas/event.ts';
import type { GoalState, GoalStatus } from '../../domain/schemas/goal.ts';
import { graphOutputBytes, keptTask, type GoalSnapshot } from '../goal-snapshot.ts';
import type { RecordedPlan } from '../goal-write.ts';

type Db = Pool | ClientBase;

interface SnapshotRow {
  readonly seq: number;
  readonly head: string;
  readonly state: string;
  readonly outline: string | null;
  readonly tasks: readonly (readonly [string, TaskState, Artifact | null, readonly [Json] | null])[];
}

/** One statement, and so one snapshot. @throws what pg throws */
export async function readSnapshot(db: Db, { tenant, goalId }: GoalRef): Promise<GoalSnapshot | null> {
  const { rows } = await db.query<SnapshotRow>({
    name: 'read-snapshot',
    text: `SELECT g.seq, g.head::text, g.state::text,
      (SELECT p.outline::text FROM plans p WHERE p.tenant = g.tenant AND p.goal_id = g.goal_id ORDER BY revision DESC LIMIT 1),
      (SELECT coalesce(json_agg(json_build_array(t.task_id, t.state, t.artifact,
          CASE WHEN octet_length(t.output::text) <= ${graphOutputBytes} THEN json_build_array(t.output) END)), '[]')
        FROM tasks t WHERE t.tenant = g.tenant AND t.goal_id = g.goal_id AND t.item = -1) AS tasks
      FROM goals g WHERE g.tenant = $1 AND g.goal_id = $2`,
    values: [tenant, goalId],
  });
  const [row] = rows;
  return row ? toSnapshot(row) : null;
}

function toSnapshot({ seq, head, state, outline, tasks }: SnapshotRow): GoalSnapshot {
  const kept = tasks.map(([id, task, artifact, shown]) => {
    const [artifactJson, outputJson] = [artifact && JSON.stringify(artifact), shown && JSON.stringify(shown[0])];
    return [id, keptTask({ stateJson: JSON.stringify(task), artifactJson, outputJson })] as const;
  });
  return { seq, headJson: head, stateJson: state, outlineJson: outline, tasks: new Map(kept) };
}

interface EventRow {
  readonly seq: number;
  readonly type: string;
  readonly task_id: string | null;
  readonly attempt: number;
  readonly at: Date;
  readonly data: unknown;
}

/** Events in order of `seq`. @throws what pg throws */
export async function readEvents(
  db: Db,
  { tenant, goalId }: GoalRef,
  { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
): Promise<readonly GoalEvent[]> {
  const { rows } = await db.query<EventRow>({
    name: 'read-events',
    text: `SELECT seq, type, task_id, attempt, at, data FROM events
      WHERE tenant = $1 AND goal_id = $2 AND seq > $3 ORDER BY seq LIMIT $4`,
    values: [tenant, goalId, afterSeq, limit],
  });
  return rows.map(({ seq, type, task_id: taskId, attempt, at, data }) => {
    // Type and data were recorded together.
    return { goalId, seq, type, taskId, attempt, at: at.toISOString(), data } as GoalEvent;
  });
}

/** A revision of the plan, the latest unless given; null when there is none. @throws what pg throws */
export async function readPlan(
  db: Db,
  { tenant, goalId }: GoalRef,
  revision: number | null = null,
): Promise<RecordedPlan | null> {
  const { rows } = await db.query<RecordedPlan>({
    name: 'read-plan',
    text: `SELECT plan, outline, params FROM plans WHERE tenant = $1 AND goal_id = $2 AND revision = coalesce($3, revision)
      ORDER BY revision DESC LIMIT 1`,
    values: [tenant, goalId, revision],
  });
  return rows[0] ?? null;
}

/** The artifacts of a goal, each with the task that wrote it. @throws what pg throws */
export async function readArtifacts(
  db: Db,
  { tenant, goalId }: GoalRef,
): Promise<readonly { readonly artifact: Artifact; readonly taskId: string | null }[]> {
  const { rows } = await db.query<{ task_id: string | null; artifact: Artifact }>({
    name: 'read-artifacts',
    text: `SELECT task_id, json_build_object('id', artifact_id, 'name', name, 'mediaType', media_type,
        'sizeBytes', size_bytes, 'sha256', sha256) AS artifact
      FROM artifacts WHERE tenant = $1 AND goal_id = $2 ORDER BY created_at, artifact_id`,
    values: [tenant, goalId],
  });
  return rows.map(({ task_id: taskId, artifact }) => ({ taskId, artifact }));
}

/** Task id → US dollars that its calls have reported, those of a map's items together. @throws what pg throws */
export async function readTaskCosts(db: Db, { tenant, goalId }: GoalRef): Promise<ReadonlyMap<string, number>> {
  const { rows } = await db.query<{ id: string; usd: number }>({
    name: 'read-task-costs',
    text: `SELECT split_part(task_id, '.', 1) AS id, sum((data -> 'usage' ->> 'usd')::float8) AS usd FROM events
      WHERE tenant = $1 AND goal_id = $2 AND type IN ('task.completed', 'task.failed') AND data -> 'usage' IS NOT NULL
      GROUP BY 1`,
    values: [tenant, goalId],
  });
  return new Map(rows.map(({ id, usd }) => [id, usd]));
}

/** @throws what pg throws */
export async function readState(db: Db, { tenant, goalId }: GoalRef): Promise<GoalState | null> {
  const { rows } = await db.query<{ state: GoalState }>({
    name: 'read-state',
    text: 'SELECT state FROM goals WHERE tenant = $1 AND goal_id = $2',
    values: [tenant, goalId],
  });
  return rows[0]?.state ?? null;
}

/**
 * Rows of `tasks` by the keys in $3 and $4, each found by the primary key. Left to itself the planner joins, and with
 * the statistics of a goal that has just grown it reads all of its rows: a map of 50,000 items took 41 s, and takes 2 s.
 */
const tasksByKey = (columns: string): string => `unnest($3::text[], $4::integer[]) AS k(id, place)
  CROSS JOIN LATERAL (SELECT ${columns} FROM tasks
    WHERE tenant = $1 AND goal_id = $2 AND task_id = k.id AND item = k.place LIMIT 1) AS t`;

/**
 * Goal and tasks of one moment; no tasks when the goal is still at `knownSeq`.
 * @throws what pg throws
 */
export async function readStatuses(
  db: Db,
  { tenant, goalId }: GoalRef,
  taskIds: readonly string[],
  { knownSeq }: { readonly knownSeq: number },
): Promise<{ readonly goal: GoalStatus; readonly tasks: ReadonlyMap<string, TaskState> } | null> {
  const { rows } = await db.query<{ goal: GoalStatus; task_id: string | null; item: number; state: TaskState }>({
    name: 'read-statuses',
    text: `SELECT g.status AS goal, found.* FROM goals g
      LEFT JOIN LATERAL (SELECT t.* FROM ${tasksByKey('task_id, item, state')} WHERE g.seq <> $5) AS found ON true
      WHERE g.tenant = $1 AND g.goal_id = $2`,
    values: [tenant, goalId, ...taskKeys(taskIds), knownSeq],
  });
  const [first] = rows;
  if (!first) return null;
  const tasks = rows.flatMap(({ task_id: id, item, state }) =>
    id === null ? [] : [[rowTaskId(id, item), state] as const],
  );
  return { goal: first.goal, tasks: new Map(tasks) };
}

/** What is recorded of a task or item; `output` is null while there is none. */
export interface RecordedTask {
  readonly taskId: string;
  readonly state: TaskState;
  readonly output: Output | null;
}

interface TaskRow {
  readonly task_id: string;
  readonly item: number;
  readonly state: TaskState;
  readonly artifact: Artifact | null;
  readonly output: Json | null;
  readonly has_output: boolean;
}
const taskColumns = 'task_id, item, state, artifact, output, output IS NOT NULL AS has_output';

/** Those of the tasks and items that an event has touched. @throws what pg throws */
export async function readTasks(
  db: Db,
  { tenant, goalId }: GoalRef,
  taskIds: readonly string[],
): Promise<readonly RecordedTask[]> {
  const { rows } = await db.query<TaskRow>({
    name: 'read-tasks',
    text: `SELECT t.* FROM ${tasksByKey(taskColumns)}`,
    values: [tenant, goalId, ...taskKeys(taskIds)],
  });
  return rows.map(toRecordedTask);
}

/** The touched items of a map, in order. @throws what pg throws */
export async function readItems(db: Db, { tenant, goalId }: GoalRef, mapId: string): Promise<readonly RecordedTask[]> {
  const { rows } = await db.query<TaskRow>({
    name: 'read-items',
    text: `SELECT ${taskColumns} FROM tasks WHERE tenant = $1 AND goal_id = $2 AND task_id = $3 AND item >= 0 ORDER BY item`,
    values: [tenant, goalId, mapId],
  });
  return rows.map(toRecordedTask);
}

function toRecordedTask(row: TaskRow): RecordedTask {
  const { task_id: id, item, state, artifact, output } = row;
  const inline = row.has_output ? { output } : null;
  return {
    taskId: rowTaskId(id, item),
    state: artifact ? { ...state, artifact } : state,
    output: artifact ? { artifact } : inline,
  };
}

const rowTaskId = (id: string, item: number): string => (item < 0 ? id : itemTaskId(id, item));

function taskKeys(taskIds: readonly string[]): [string[], number[]] {
  const parsed = taskIds.map(parseTaskId);
  return [parsed.map(({ id }) => id), parsed.map(({ index }) => index ?? -1)];
}
