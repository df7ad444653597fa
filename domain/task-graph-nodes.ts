import { remainingPathLengths } from './critical-path.ts';
import { AstraError } from './errors.ts';
import type { TaskOutline } from './plan-outline.ts';

export type SettledStatus = 'completed' | 'failed' | 'skipped' | 'cancelled';

/** A task of the graph with what the scheduler knows of it. */
export interface TaskNode {
  readonly task: TaskOutline;
  /** Place in the order in which ready tasks start. */
  readonly position: number;
  readonly dependents: TaskNode[];
  unsettledDependencies: number;
  skippedDependencies: number;
  state: 'pending' | 'ready' | 'started' | SettledStatus;
}

export const isSettled = (state: TaskNode['state']): state is SettledStatus =>
  state !== 'pending' && state !== 'ready' && state !== 'started';

/** The longest remaining path first; of equals, the first in the plan. A bucket sort: O(V). */
function positionsOf(tasks: readonly TaskOutline[]): readonly number[] {
  const buckets: number[][] = [];
  remainingPathLengths(tasks).forEach((length, index) => (buckets[length] ??= []).push(index));
  const positions = tasks.map(() => 0);
  // Buckets are filled sparsely when lengths are set in plan order; `flat` leaves the holes out.
  buckets
    .reverse()
    .flat()
    .forEach((index, position) => (positions[index] = position));
  return positions;
}

/**
 * The tasks as nodes in the plan's order, linked to their dependents, those already settled in their state.
 * @throws ASTRA_INTERNAL when a dependency is neither among the tasks nor settled
 */
export function linkTaskNodes(
  tasks: readonly TaskOutline[],
  settled: Readonly<Record<string, SettledStatus>>,
): readonly TaskNode[] {
  // A task may be called `constructor`: only own properties count.
  const statusOf = (id: string): SettledStatus | undefined => (Object.hasOwn(settled, id) ? settled[id] : undefined);
  const positions = positionsOf(tasks);
  const nodes = tasks.map((task, index): TaskNode => ({
    task,
    position: positions[index] ?? 0,
    dependents: [],
    unsettledDependencies: 0,
    skippedDependencies: 0,
    state: statusOf(task.id) ?? 'pending',
  }));
  const byId = new Map(nodes.map((node) => [node.task.id, node]));
  for (const node of nodes) {
    for (const id of node.task.after) {
      const dependency = byId.get(id);
      const status = statusOf(id);
      if (status === 'skipped') node.skippedDependencies += 1;
      if (status !== undefined) continue;
      if (!dependency)
        throw new AstraError('ASTRA_INTERNAL', `Task "${node.task.id}" depends on "${id}", which is unknown.`);
      node.unsettledDependencies += 1;
      dependency.dependents.push(node);
    }
  }
  return nodes;
}
