import type { Pool } from 'pg';
import type { GoalId } from '../domain/schemas/common.ts';
import { standingOf, type GoalStanding } from './goal-standing.ts';
import type { RecordedPlan } from './goal-write.ts';
import { loadGoal } from './postgres/load-goal.ts';
import { readPlan, readTaskCosts } from './postgres/read-goal.ts';

/** What changes of plans are decided by, always from Postgres. */
export interface PlanReader {
  /** The goal as its record has it; null when nothing is recorded of it. */
  standing(tenant: string, goalId: GoalId): Promise<GoalStanding | null>;
  /** Task id → US dollars that its calls have reported. */
  taskCosts(tenant: string, goalId: GoalId): Promise<ReadonlyMap<string, number>>;
  /** A revision of the plan, the latest unless given; null when there is none. */
  plan(tenant: string, goalId: GoalId, revision?: number): Promise<RecordedPlan | null>;
}

/** @param read runs a query, and turns what pg throws into ASTRA_UNAVAILABLE */
export const createPlanReader = (pool: Pool, read: <T>(query: () => Promise<T>) => Promise<T>): PlanReader => ({
  async standing(tenant, goalId) {
    const record = await read(() => loadGoal(pool, { tenant, goalId }));
    return record && standingOf(record);
  },
  taskCosts: (tenant, goalId) => read(() => readTaskCosts(pool, { tenant, goalId })),
  plan: (tenant, goalId, revision) => read(() => readPlan(pool, { tenant, goalId }, revision)),
});
