import type { TaskOutline } from './plan-outline.ts';

type Dependent = Pick<TaskOutline, 'id' | 'after'>;
type Weights = readonly number[];

/** Places of tasks in the list that they are in. */
export interface DependentsFirst {
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

interface Chains {
  /** Weight of the heaviest chain that begins with each task, the task itself included; 0 on a cycle. */
  readonly lengths: readonly number[];
  /** The task that follows each on that chain: of several the first in the list; -1: none. */
  readonly next: readonly number[];
}

function heaviestChains(
  tasks: readonly Dependent[],
  { weights, shape: { order, dependencies } }: { readonly weights?: Weights; readonly shape: DependentsFirst },
): Chains {
  const lengths = tasks.map(() => 0);
  const behind = tasks.map(() => 0);
  const next = tasks.map(() => -1);
  for (const index of order) {
    const length = (behind[index] ?? 0) + (weights?.[index] ?? 1);
    lengths[index] = length;
    for (const dependency of dependencies[index] ?? []) {
      const before = behind[dependency] ?? 0;
      if (length < before || (length === before && index > (next[dependency] ?? -1))) continue;
      behind[dependency] = length;
      next[dependency] = index;
    }
  }
  return { lengths, next };
}

/**
 * Weight of the heaviest chain that begins with each task, the task itself included: longest path in a DAG by dynamic
 * programming. O(V + E). A dependency that is not among `tasks` is left out, and so are tasks on a cycle (length 0).
 * @param weights of the tasks, in their order; 1 unless given: the length is then the number of tasks
 */
export const remainingPathLengths = (tasks: readonly Dependent[], weights?: Weights): readonly number[] =>
  heaviestChains(tasks, { ...(weights && { weights }), shape: dependentsFirst(tasks) }).lengths;

/**
 * The ids of the heaviest chain of dependencies, first task first; of equally heavy ones, the first in the plan's order.
 * @param weights more than 0; 1 unless given
 * @param options.shape of the tasks, where it is known already
 */
export function criticalPath(
  tasks: readonly Dependent[],
  weights?: Weights,
  { shape = dependentsFirst(tasks) }: { readonly shape?: DependentsFirst } = {},
): string[] {
  const { lengths, next } = heaviestChains(tasks, { ...(weights && { weights }), shape });
  let index = lengths.reduce((best, length, each) => (length > (lengths[best] ?? 0) ? each : best), -1);
  const path: string[] = [];
  for (; index >= 0; index = next[index] ?? -1) path.push(tasks[index]?.id ?? '');
  return path;
}
