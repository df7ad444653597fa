import type { TaskOutline } from './plan-outline.ts';

type Dependent = Pick<TaskOutline, 'id' | 'after'>;

/**
 * Tasks on the longest chain that begins with each task, the task itself included: longest path in a DAG by dynamic
 * programming over Kahn's order. O(V + E). Every task weighs the same. A dependency that is not among `tasks` is left
 * out, and so are tasks on a cycle (length 0).
 */
export function remainingPathLengths(tasks: readonly Dependent[]): readonly number[] {
  const indexOf = new Map(tasks.map((task, index) => [task.id, index]));
  const lengths = tasks.map(() => 0);
  const reached = tasks.map(() => 1);
  const unvisitedDependents = tasks.map(() => 0);
  const dependencies = tasks.map(({ after }) => after.flatMap((id) => indexOf.get(id) ?? []));
  for (const ids of dependencies)
    for (const index of ids) unvisitedDependents[index] = (unvisitedDependents[index] ?? 0) + 1;

  const order = tasks.flatMap((_, index) => (unvisitedDependents[index] === 0 ? [index] : []));
  // The loop also visits what is pushed while it runs.
  for (const index of order) {
    const length = reached[index] ?? 1;
    lengths[index] = length;
    for (const dependency of dependencies[index] ?? []) {
      reached[dependency] = Math.max(reached[dependency] ?? 1, length + 1);
      const unvisited = (unvisitedDependents[dependency] ?? 0) - 1;
      unvisitedDependents[dependency] = unvisited;
      if (unvisited === 0) order.push(dependency);
    }
  }
  return lengths;
}

/** The ids of the longest chain of dependencies, first task first; of equally long ones, the first in the plan's order. */
export function criticalPath(tasks: readonly Dependent[]): string[] {
  const lengths = remainingPathLengths(tasks);
  const lengthOf = new Map(tasks.map((task, index) => [task.id, lengths[index] ?? 0]));
  const dependents = new Map<string, string[]>();
  for (const { id, after } of tasks) {
    for (const dependency of after) {
      const ids = dependents.get(dependency);
      if (ids) ids.push(id);
      else dependents.set(dependency, [id]);
    }
  }
  const longest = (ids: readonly string[]): string | undefined =>
    ids.reduce<string | undefined>(
      (best, id) => ((lengthOf.get(id) ?? 0) > (best === undefined ? 0 : (lengthOf.get(best) ?? 0)) ? id : best),
      undefined,
    );

  const path: string[] = [];
  let next = longest(tasks.map((task) => task.id));
  while (next !== undefined) {
    path.push(next);
    next = longest(dependents.get(next) ?? []);
  }
  return path;
}
