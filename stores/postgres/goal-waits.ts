import type { Pool } from 'pg';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { isFinalGoal } from '../../domain/goal-record.ts';
import type { GoalId } from '../../domain/schemas/common.ts';
import type { GoalStatus } from '../../domain/schemas/goal.ts';
import { query } from './query.ts';

export interface AwaitedGoal {
  readonly goalId: GoalId;
  /** Null: nothing is recorded of it yet. */
  readonly status: GoalStatus | null;
}

/** Which goals wait for the end of which others. All of it throws ASTRA_UNAVAILABLE. */
export interface GoalWaits {
  /** How the awaited goals stand. While one of them has not ended, `goal` is among those to be told of its end. */
  standing(goal: GoalRef, awaited: readonly GoalId[]): Promise<readonly AwaitedGoal[]>;
  /** Who is to be told that the goal has ended; each is named once. */
  takeWaiting(ended: GoalRef): Promise<readonly GoalId[]>;
}

/**
 * `goals.awaited` tells the commit of a goal's end that somebody waits for it, so other goals' ends cost nothing. It is
 * set under the row's lock: a commit either sees it, or has ended the goal before the second look at how it stands.
 * Rows are locked in the order of their keys, as commits lock them.
 */
const register = `
WITH waits AS (
  INSERT INTO goal_waits (tenant, awaited_goal_id, goal_id) SELECT $1::text, id, $2::text FROM unnest($3::text[]) AS id
  ON CONFLICT DO NOTHING
), open AS (
  SELECT tenant, goal_id FROM goals WHERE tenant = $1 AND goal_id = ANY($3::text[]) AND finished_at IS NULL AND NOT awaited
  ORDER BY tenant, goal_id FOR NO KEY UPDATE
)
UPDATE goals g SET awaited = true FROM open o WHERE g.tenant = o.tenant AND g.goal_id = o.goal_id`;

export function createGoalWaits(pool: Pool): GoalWaits {
  async function look(tenant: string, goalIds: readonly GoalId[]): Promise<readonly AwaitedGoal[]> {
    const rows = await query<{ goal_id: GoalId; status: GoalStatus }>(pool, {
      name: 'awaited-goals',
      text: 'SELECT goal_id, status FROM goals WHERE tenant = $1 AND goal_id = ANY($2::text[])',
      values: [tenant, goalIds],
    });
    const known = new Map(rows.map((row) => [row.goal_id, row.status]));
    return goalIds.map((goalId) => ({ goalId, status: known.get(goalId) ?? null }));
  }

  return {
    async standing({ tenant, goalId }, awaited) {
      if (awaited.length === 0) return [];
      const first = await look(tenant, awaited);
      if (isSettled(first)) {
        await query(pool, {
          name: 'forget-waits',
          text: 'DELETE FROM goal_waits WHERE tenant = $1 AND awaited_goal_id = ANY($2::text[]) AND goal_id = $3',
          values: [tenant, awaited, goalId],
        });
        return first;
      }
      const open = first.filter(isOpen).map((each) => each.goalId);
      await query(pool, { name: 'register-waits', text: register, values: [tenant, goalId, open] });
      return look(tenant, awaited);
    },

    async takeWaiting({ tenant, goalId }) {
      const rows = await query<{ goal_id: GoalId }>(pool, {
        name: 'take-waiting',
        text: 'DELETE FROM goal_waits WHERE tenant = $1 AND awaited_goal_id = $2 RETURNING goal_id',
        values: [tenant, goalId],
      });
      return rows.map((row) => row.goal_id);
    },
  };
}

const isOpen = ({ status }: AwaitedGoal): boolean => status === null || !isFinalGoal(status);

/** Is it certain what comes of the goal that waits? */
const isSettled = (awaited: readonly AwaitedGoal[]): boolean =>
  awaited.every(({ status }) => status === 'completed') ||
  awaited.some(({ status }) => status === 'failed' || status === 'cancelled');
