import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { itemTaskId, parseTaskId } from '../../domain/ids.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { TaskStatus } from '../../domain/schemas/goal.ts';
import { query } from './query.ts';

/** As the index has them, for `type IN (…)`. */
export const compensations = `'task.compensated', 'task.compensation_failed'`;

/** What has run of a goal and may have to be taken back. */
export interface RanTask {
  /** `each.3` is an item of a map. */
  readonly taskId: string;
  /** The task itself, for an item its map. */
  readonly planTaskId: string;
  readonly status: TaskStatus;
  /** 0: it is the work of the goal that this one is a fork of. */
  readonly attempt: number;
  /** What is recorded of its compensation; null: nothing. */
  readonly compensation: 'compensated' | 'failed' | null;
}

interface Row {
  readonly task_id: string;
  readonly item: number;
  readonly status: TaskStatus;
  readonly attempt: number;
  readonly type: string | null;
}

export interface CompensationStore {
  /** Of the plan's tasks named: those that an event has touched, and the completed items of their maps. */
  ran(goal: GoalRef, planTaskIds: readonly string[]): Promise<readonly RanTask[]>;
  /** Is anything recorded of the compensation of this task or item? */
  isRecorded(goal: GoalRef, taskId: string): Promise<boolean>;
  /** The goal and those below it that have not ended. */
  runningTree(goal: GoalRef): Promise<readonly GoalId[]>;
}

/**
 * What cancelling a goal asks of the record. All of it throws ASTRA_UNAVAILABLE. A compensation is of the run of its task
 * that it came after: it is no younger than what is recorded of a later one.
 */
export function createCompensationStore(pool: Pool): CompensationStore {
  return {
    async ran({ tenant, goalId }, planTaskIds) {
      const rows = await query<Row>(pool, {
        name: 'compensations-ran',
        text: `SELECT t.task_id, t.item, t.status, t.attempt, e.type
          FROM tasks t LEFT JOIN events e ON e.tenant = t.tenant AND e.goal_id = t.goal_id
            AND e.task_id = t.task_id || CASE WHEN t.item < 0 THEN '' ELSE '.' || t.item END AND e.type IN (${compensations})
            AND e.seq >= t.seq
          WHERE t.tenant = $1 AND t.goal_id = $2 AND t.task_id = ANY($3::text[]) AND (t.item < 0 OR t.status = 'completed')
          ORDER BY t.task_id, t.item`,
        values: [tenant, goalId, planTaskIds],
      });
      return rows.map(toRanTask);
    },
    async isRecorded({ tenant, goalId }, taskId) {
      const { id, index } = parseTaskId(taskId);
      const rows = await query(pool, {
        name: 'compensations-recorded',
        text: `SELECT 1 FROM events e JOIN tasks t ON t.tenant = e.tenant AND t.goal_id = e.goal_id
          WHERE e.tenant = $1 AND e.goal_id = $2 AND e.task_id = $3 AND e.type IN (${compensations})
            AND t.task_id = $4 AND t.item = $5 AND e.seq >= t.seq LIMIT 1`,
        values: [tenant, goalId, taskId, id, index ?? -1],
      });
      return rows.length > 0;
    },
    async runningTree({ tenant, goalId }) {
      const rows = await query<{ goal_id: GoalId }>(pool, {
        name: 'goals-running-tree',
        text: `WITH RECURSIVE tree(goal_id) AS (
            SELECT $2::text COLLATE "C"
            UNION
            SELECT g.goal_id FROM goals g JOIN tree ON g.parent_goal_id = tree.goal_id
            WHERE g.tenant = $1 AND g.finished_at IS NULL
          ) SELECT goal_id FROM tree`,
        values: [tenant, goalId],
      });
      return rows.map((row) => row.goal_id);
    },
  };
}

function toRanTask({ task_id: id, item, status, attempt, type }: Row): RanTask {
  return {
    taskId: item < 0 ? id : itemTaskId(id, item),
    planTaskId: id,
    status,
    attempt,
    compensation: type === null ? null : type === 'task.compensated' ? 'compensated' : 'failed',
  };
}
