import type { GoalSubmission } from '../../../domain/schemas/goal.ts';
import type { Task } from '../../../domain/schemas/plan.ts';

/** What is run: ten tasks, 1 → 8 → 1; a hundred at once; nothing at all. */
export type Work = 'diamond' | 'map' | 'empty';

export const tasksOf: Readonly<Record<Work, number>> = { diamond: 10, map: 100, empty: 1 };

export const middle = Array.from({ length: 8 }, (_, index) => `m${index}`);
export const mapItems = Array.from({ length: 100 }, (_, index) => index);

/** The same work as Astra's plan. An empty plan is none, so `empty` is for peers alone. */
export function planOf(work: Exclude<Work, 'empty'>, tool: string): GoalSubmission {
  const task = (id: string, ...after: string[]): Task => ({ id, kind: 'tool', tool, after });
  const diamond = [task('first'), ...middle.map((id) => task(id, 'first')), task('last', ...middle)];
  const map: Task = {
    id: 'each',
    kind: 'map',
    over: 'goal.input.items',
    maxConcurrency: 100,
    task: { kind: 'tool', tool },
  };
  return work === 'diamond'
    ? { objective: 'diamond', plan: { tasks: diamond } }
    : { objective: 'map', plan: { tasks: [map] }, input: { items: mapItems } };
}
