import { createPool } from '../../../stores/postgres/pool.ts';
import type { Config } from '../../../platform/config.ts';

/** What has become of goals, as the record has it. */
export interface GoalCounts {
  /** Completed between the two times, ms since 1970. */
  completedBetween(from: number, to: number): Promise<number>;
  /** How many of the goals have this status. */
  count(goalIds: readonly string[], status: 'completed' | 'failed'): Promise<number>;
  close(): Promise<void>;
}

export function openGoalCounts(config: Pick<Config, 'DATABASE_URL'>): GoalCounts {
  const pool = createPool(config, { maxConnections: 1 });
  async function one(text: string, values: readonly unknown[]): Promise<number> {
    const { rows } = await pool.query<{ count: number }>(text, [...values]);
    return rows[0]?.count ?? 0;
  }
  return {
    completedBetween: (from, to) =>
      one(
        `SELECT count(*)::int AS count FROM goals
         WHERE status = 'completed' AND finished_at >= $1 AND finished_at < $2`,
        [new Date(from), new Date(to)],
      ),
    count: (goalIds, status) =>
      one('SELECT count(*)::int AS count FROM goals WHERE goal_id = ANY($1) AND status = $2', [goalIds, status]),
    close: () => pool.end(),
  };
}
