import type { ClientBase, Pool } from 'pg';
import { noDetails, type ApprovalDetails } from '../../domain/approvals/approval-details.ts';
import { restoreRecord, untouchedTask, type GoalRecord, type TaskState } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId } from '../../domain/ids.ts';
import type { PlanOutline } from '../../domain/plan-outline.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { GoalHead, GoalState } from '../../domain/schemas/goal.ts';
import { compensations } from './compensations.ts';

type TaskRow = readonly [string, number, TaskState['status'], TaskState | null, Artifact | null];
interface Row {
  readonly head: GoalHead;
  readonly state: GoalState;
  readonly marks: string;
  readonly outline: PlanOutline | null;
  readonly tasks: readonly TaskRow[];
  readonly approvals: readonly (Omit<Approval, keyof ApprovalDetails> & {
    readonly details: Partial<ApprovalDetails>;
  })[];
  readonly artifacts: readonly string[];
  readonly compensated: readonly string[];
}

/**
 * One statement, and so one snapshot: all parts are of the same `seq`. Of a settled item only its status is read, unless
 * it failed: a goal may have 100,000 of them.
 */
const statement = `
SELECT g.head, g.state, g.marks,
  (SELECT p.outline FROM plans p WHERE p.tenant = g.tenant AND p.goal_id = g.goal_id ORDER BY revision DESC LIMIT 1),
  (SELECT coalesce(json_agg(json_build_array(t.task_id, t.item, t.status,
      CASE WHEN t.item < 0 OR t.status NOT IN ('completed', 'skipped', 'cancelled') THEN t.state END,
      CASE WHEN t.item < 0 THEN t.artifact END)), '[]')
    FROM tasks t WHERE t.tenant = g.tenant AND t.goal_id = g.goal_id) AS tasks,
  (SELECT coalesce(json_agg(json_build_object('id', a.approval_id, 'kind', a.kind, 'goalId', a.goal_id,
      'taskId', a.task_id, 'prompt', a.prompt, 'input', a.input, 'status', a.status, 'required', a.required,
      'votes', a.votes, 'requestedAt', a.requested_at, 'expiresAt', a.expires_at, 'details', a.details) ORDER BY a.requested_at), '[]')
    FROM approvals a WHERE a.tenant = g.tenant AND a.goal_id = g.goal_id) AS approvals,
  (SELECT coalesce(json_agg(a.artifact_id), '[]')
    FROM artifacts a WHERE a.tenant = g.tenant AND a.goal_id = g.goal_id) AS artifacts,
  (SELECT coalesce(json_agg(e.task_id) FILTER (WHERE e.task_id LIKE '%.%'), '[]')
    FROM events e JOIN tasks t ON t.tenant = e.tenant AND t.goal_id = e.goal_id AND t.item >= 0
      AND e.task_id = t.task_id || '.' || t.item AND e.seq >= t.seq
    WHERE e.tenant = g.tenant AND e.goal_id = g.goal_id AND e.type IN (${compensations})) AS compensated
FROM goals g WHERE g.tenant = $1 AND g.goal_id = $2`;

/** The goal as it is recorded; null when it is not. @throws what pg throws */
export async function loadGoal(db: Pool | ClientBase, { tenant, goalId }: GoalRef): Promise<GoalRecord | null> {
  const { rows } = await db.query<Row>({ name: 'load-goal', text: statement, values: [tenant, goalId] });
  const [row] = rows;
  if (!row) return null;
  return restoreRecord({
    ...row,
    tasks: row.tasks.filter(([, item]) => item < 0).map(([id, , ...kept]) => [id, taskState(...kept)]),
    items: row.tasks
      .filter(([, item]) => item >= 0)
      .map(([id, item, ...kept]) => [itemTaskId(id, item), taskState(...kept)]),
    approvals: row.approvals.map(({ details, ...approval }) => ({
      ...noDetails,
      ...details,
      ...approval,
      requestedAt: toRfc3339(approval.requestedAt),
      expiresAt: approval.expiresAt && toRfc3339(approval.expiresAt),
    })),
    marks: row.marks === '' ? [] : row.marks.split(' '),
  });
}

const taskState = (status: TaskState['status'], state: TaskState | null, artifact: Artifact | null): TaskState => ({
  ...(state ?? { ...untouchedTask, status }),
  ...(artifact ? { artifact } : {}),
});

/** Postgres writes times into JSON with its own time zone. */
const toRfc3339 = (time: string): string => new Date(time).toISOString();
