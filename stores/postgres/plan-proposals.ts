import type { Pool } from 'pg';
import type { Estimate } from '../../domain/estimate.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { PlanDiff } from '../../domain/plan-change.ts';
import type { PlanChange } from '../../domain/schemas/plan-change.ts';
import { query } from './query.ts';

/** A change of a plan that is not made yet. */
export interface PlanProposal {
  readonly change: PlanChange;
  /** What it would do, as people are shown it. */
  readonly preview?: { readonly diff: PlanDiff; readonly estimate: Estimate };
}

/**
 * Keeps changes until they are made or refused, so that histories carry their ids alone. Both throw ASTRA_UNAVAILABLE when
 * Postgres does not answer.
 */
export interface PlanProposals {
  /** Durable when it resolves. @returns what is kept under the id, which is what was first */
  keep(goal: GoalRef, changeId: string, proposal: PlanProposal): Promise<PlanProposal>;
  get(goal: GoalRef, changeId: string): Promise<PlanProposal | null>;
}

export function createPlanProposals(pool: Pool): PlanProposals {
  async function get({ tenant, goalId }: GoalRef, changeId: string): Promise<PlanProposal | null> {
    const rows = await query<{ proposal: PlanProposal }>(pool, {
      text: 'SELECT proposal FROM plan_proposals WHERE tenant = $1 AND goal_id = $2 AND change_id = $3',
      values: [tenant, goalId, changeId],
    });
    return rows[0]?.proposal ?? null;
  }

  return {
    async keep(goal, changeId, proposal) {
      await query(pool, {
        text: `INSERT INTO plan_proposals (tenant, goal_id, change_id, proposal) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING`,
        values: [goal.tenant, goal.goalId, changeId, JSON.stringify(proposal)],
      });
      return (await get(goal, changeId)) ?? proposal;
    },
    get,
  };
}
