import { acceptedState } from '../../../domain/goal-record.ts';
import { goalIdSchema, type GoalId } from '../../../domain/schemas/common.ts';
import type { GoalHead, GoalState } from '../../../domain/schemas/goal.ts';
import type { ViewCache } from '../../../stores/cache/view-cache.ts';

const tenant = 'default';
const at = '2026-01-01T00:00:00.000Z';
export const seededSeq = 24;

const headOf = (id: GoalId): GoalHead => ({
  id,
  tenant,
  objective: 'Read the quarterly reports of all regions and tell where the figures do not agree.',
  agentId: null,
  priority: 3,
  labels: { team: 'finance', region: 'emea' },
  input: { documents: Array.from({ length: 12 }, (_, n) => `s3://reports/2026/q1/region-${n}.pdf`) },
  template: 'compare-reports',
  parentGoalId: null,
  forkedFrom: null,
  createdAt: at,
});

const state: GoalState = {
  ...acceptedState,
  seq: seededSeq,
  status: 'running',
  progress: { ...acceptedState.progress, total: 40, completed: 11, running: 4 },
  startedAt: at,
};

/**
 * Puts the views of as many running goals where the recorder puts them. Nothing of them is in Postgres: a read that asks
 * there finds no goal.
 */
export async function seedGoals(viewCache: ViewCache, count: number): Promise<readonly GoalId[]> {
  const ids = Array.from({ length: count }, (_, n) => goalIdSchema.parse(`gol_${String(n).padStart(20, '0')}`));
  const stateJson = JSON.stringify(state);
  for (const goalId of ids) {
    const snapshot = { headJson: JSON.stringify(headOf(goalId)), stateJson, outlineJson: null, tasks: new Map() };
    await viewCache.fill({ tenant, goalId }, { seq: seededSeq, ...snapshot }, { status: 'running' });
  }
  return ids;
}
