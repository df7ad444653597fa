import { evaluateCondition } from '../../domain/expressions.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import type { Task } from '../../domain/schemas/plan.ts';
import type { TaskScopes, Unrecorded } from './task-scope.ts';

/** Is the task's condition met, or has it none? @throws ASTRA_EXPRESSION_FAILED */
export async function isWanted(
  scopes: TaskScopes,
  goal: GoalRef,
  { when }: Task,
  unrecorded?: Unrecorded,
): Promise<boolean> {
  return when === undefined || evaluateCondition(when, await scopes.of(goal, `{{ ${when} }}`, unrecorded));
}
