import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import { query } from './query.ts';

export interface GoalTree {
  /** Null: nothing is recorded of the goal. Else whether it, or a goal above or below it, has not ended: one of those. */
  findRunning(goal: GoalRef): Promise<{ readonly running: GoalId | null } | null>;
}

/** Goals with their sub-goals. */
export function createGoalTree(pool: Pool): GoalTree {
  return {
    async findRunning({ tenant, goalId }) {
      const rows = await query<{ running: GoalId | null }>(pool, {
        text: `WITH RECURSIVE above AS (
            SELECT goal_id, parent_goal_id, finished_at FROM goals WHERE tenant = $1 AND goal_id = $2
          UNION ALL
            SELECT g.goal_id, g.parent_goal_id, g.finished_at FROM above a
            JOIN goals g ON g.tenant = $1 AND g.goal_id = a.parent_goal_id
          ), below AS (
            SELECT goal_id, finished_at FROM goals WHERE tenant = $1 AND goal_id = $2
          UNION ALL
            SELECT g.goal_id, g.finished_at FROM below b JOIN goals g ON g.tenant = $1 AND g.parent_goal_id = b.goal_id
          )
          SELECT (SELECT goal_id FROM (SELECT goal_id, finished_at FROM above UNION ALL TABLE below) AS tree
            WHERE finished_at IS NULL LIMIT 1) AS running
          FROM goals WHERE tenant = $1 AND goal_id = $2`,
        values: [tenant, goalId],
      });
      return rows[0] ?? null;
    },
  };
}
