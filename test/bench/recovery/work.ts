import type { GoalSubmission } from '../../../domain/schemas/goal.ts';
import type { Task } from '../../../domain/schemas/plan.ts';

export const goals = 50;
export const tasksOfGoal = 10;
/** Long enough to be in the middle of it when the worker is killed. */
export const taskMilliseconds = (goal: number): number => 300 + 4 * goal;

export const middle = Array.from({ length: tasksOfGoal - 2 }, (_, index) => `m${index}`);

/** 1 → 8 → 1, each with an effect. @param file is told of each execution */
export function diamond(file: string, goal: number): GoalSubmission {
  const input = { file, milliseconds: taskMilliseconds(goal) };
  const task = (id: string, ...after: string[]): Task => ({ id, kind: 'tool', tool: 'test.count', input, after });
  const tasks = [task('first'), ...middle.map((id) => task(id, 'first')), task('last', ...middle)];
  return { objective: `diamond ${goal}`, plan: { tasks } };
}
