import { describe, expect, test } from 'vitest';
import { goalHeadOf } from './goal-head.ts';
import type { GoalId } from './schemas/common.ts';
import type { GoalSubmission } from './schemas/goal.ts';

const goalId = 'gol_0000000000000001' as GoalId;
const headOf = (submission: Partial<GoalSubmission>, budgetScopes?: readonly string[]) =>
  goalHeadOf({
    tenant: 'default',
    goalId,
    submission: { objective: 'try', ...submission },
    submittedAt: '2026-01-01T00:00:00.000Z',
    parentGoalId: null,
    ...(budgetScopes && { budgetScopes }),
  });

describe('a goal counts', () => {
  test('in no budget of its own unless it says so, and its head then has nothing of it', () => {
    expect(headOf({})).not.toHaveProperty('budgetScopes');
    expect(headOf({})).not.toHaveProperty('budget');
  });

  test('in that of its agent and its own', () => {
    expect(headOf({ agentId: 'scout', budget: { usd: '1.50' } })).toMatchObject({
      agentId: 'scout',
      budget: { usd: '1.50' },
      budgetScopes: ['agent:scout', `goal:${goalId}`],
    });
  });

  test('in those of the goals above it, each once', () => {
    const above = ['agent:scout', 'goal:gol_0000000000000009'];
    expect(headOf({}, above).budgetScopes).toEqual(above);
    expect(headOf({ agentId: 'scout', budget: { tasks: 3 } }, above).budgetScopes).toEqual([
      ...above,
      `goal:${goalId}`,
    ]);
  });
});
