import type { TaskOutline } from './plan-outline.ts';

type Dependent = Pick<TaskOutline, 'id' | 'after'>;
type Weight<T> = (task: T) => number;

/** Places of tasks in the list that they are in. */
interface DependentsFirst {
  /** Without tasks on a cycle. */
  readonly order: readonly number[];
  /** Of each task, those that are in the list. */
  readonly dependencies: readonly (readonly number[])[];
}

/** Kahn's algorithm (1962), from the end: O(V + E). Read backwards the order has the dependencies first. */
export function dependentsFirst(tasks: readonly Dependent[]): DependentsFirst {
  const indexOf = new Map(tasks.map((task, index) => [task.id, index]));
  const dependencies = tasks.map(({ after }) => after.flatMap((id) => indexOf.get(id) ?? []));
  const unvisitedDependents = tasks.map(() => 0);
  for (const ids of dependencies)
    for (const index of ids) unvisitedDependents[index] = (unvisitedDependents[index] ?? 0) + 1;
  const order = tasks.flatMap((_, index) => (unvisitedDependents[index] === 0 ? [index] : []));
  // The loop also visits what is pushed while it runs.
  for (const index of order) {
    for (const dependency of dependencies[index] ?? []) {
      const unvisited = (unvisitedDependents[dependency] ?? 0) - 1;
      unvisitedDependents[dependency] = unvisited;
      if (unvisited === 0) order.push(dependency);
    }
  }
  return { order, dependencies };
}

/**
 * Weight of the heaviest chain that begins with each task, the task itself included: longest path in a DAG by dynamic
 * programming. O(V + E). A dependency that is not among `tasks` is left out, and so are tasks on a cycle (length 0).
 * @param weightOf 1 unless given: the length is then the number of tasks
 */
export function remainingPathLengths<T extends Dependent>(
  tasks: readonly T[],
  weightOf: Weight<T> = () => 1,
): readonly number[] {
  const { order, dependencies } = dependentsFirst(tasks);
  const lengths = tasks.map(() => 0);
  const behind = tasks.map(() => 0);
  for (const index of order) {
    // The order is one of places in the list.
    const length = (behind[index] ?? 0) + weightOf(tasks[index] as T);
    lengths[index] = length;
    for (const dependency of dependencies[index] ?? []) {
      behind[dependency] = Math.max(behind[dependency] ?? 0, length);
    }
  }
  return lengths;
}

/**
 * The ids of the heaviest chain of dependencies, first task first; of equally heavy ones, the first in the plan's order.
 * @param weightOf more than 0; 1 unless given
 */
export function criticalPath<T extends Dependent>(tasks: readonly T[], weightOf?: Weight<T>): string[] {
  const lengths = remainingPathLengths(tasks, weightOf);
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
