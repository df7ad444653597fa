import { remainingPathLengths } from './critical-path.ts';
import { bindingOf, type PlanOutline, type TaskOutline } from './plan-outline.ts';

/**
 * The tasks that may have something to take back, in the order in which that is done: a list at a time, what others depend on
 * after them, tasks of one list side by side. Sub-goals are among them, whatever they hold. O(V + E).
 */
export function compensationOrder(outline: PlanOutline): readonly (readonly TaskOutline[])[] {
  const waves: TaskOutline[][] = [];
  remainingPathLengths(outline.tasks).forEach((length, index) => {
    const task = outline.tasks[index];
    if (task && (task.kind === 'goal' || bindingOf(outline, task)?.compensable)) (waves[length] ??= []).push(task);
  });
  // Lengths that no such task has are holes, which `filter` leaves out.
  return waves.filter((wave) => wave.length > 0);
}
