import type { GraphView, TaskStatus, TaskView } from '@astra/sdk';

export interface PlacedTask {
  readonly task: TaskView;
  /** Length of the longest chain of dependencies before it. */
  readonly level: number;
  /** Its place in the tree. */
  readonly index: number;
}

export interface TaskOrder {
  /** Level by level, within a level as the plan has them. */
  readonly tree: readonly PlacedTask[];
  /** What a watcher wants to see first when there is no room for all; of the completed ones the latest. */
  readonly byUrgency: readonly PlacedTask[];
}

/** Kahn's algorithm (1962): O(V + E). */
function levelsOf(tasks: readonly TaskView[]): ReadonlyMap<string, number> {
  const levels = new Map(tasks.map(({ id }) => [id, 0]));
  const waiting = new Map(tasks.map(({ id, after }) => [id, after.length]));
  const dependents = new Map<string, string[]>(tasks.map(({ id }) => [id, []]));
  for (const { id, after } of tasks) for (const before of after) dependents.get(before)?.push(id);
  const free = tasks.filter(({ after }) => after.length === 0).map(({ id }) => id);
  for (const id of free) {
    for (const dependent of dependents.get(id) ?? []) {
      levels.set(dependent, Math.max(levels.get(dependent) ?? 0, (levels.get(id) ?? 0) + 1));
      const left = (waiting.get(dependent) ?? 1) - 1;
      waiting.set(dependent, left);
      if (left === 0) free.push(dependent);
    }
  }
  return levels;
}

const urgency: Record<TaskStatus, number> = {
  failed: 0,
  parked: 1,
  awaiting_approval: 1,
  retrying: 2,
  running: 2,
  queued: 3,
  ready: 3,
  cancelled: 4,
  completed: 5,
  pending: 6,
  skipped: 7,
};

function compareUrgency(a: PlacedTask, b: PlacedTask): number {
  const difference = urgency[a.task.status] - urgency[b.task.status];
  if (difference !== 0) return difference;
  const latestFirst =
    a.task.status === 'completed' ? (b.task.finishedAt ?? '').localeCompare(a.task.finishedAt ?? '') : 0;
  return latestFirst || a.index - b.index;
}

export function orderTasks({ tasks }: Pick<GraphView, 'tasks'>): TaskOrder {
  const levels = levelsOf(tasks);
  const tree = tasks
    .map((task) => ({ task, level: levels.get(task.id) ?? 0 }))
    .toSorted((a, b) => a.level - b.level)
    .map((entry, index) => ({ ...entry, index }));
  return { tree, byUrgency: tree.toSorted(compareUrgency) };
}

/** As many tasks as there is room for in `rows`, the most urgent ones, as the tree has them. */
export function selectTasks(
  order: TaskOrder,
  rows: number,
  rowsOf: (entry: PlacedTask) => number,
): readonly PlacedTask[] {
  const { tree, byUrgency } = order;
  if (tree.reduce((sum, entry) => sum + rowsOf(entry), 0) <= rows) return tree;
  // One row is for the summary of the rest.
  let left = rows - 1;
  const shown = new Set<PlacedTask>();
  for (const entry of byUrgency) {
    left -= rowsOf(entry);
    if (left < 0) break;
    shown.add(entry);
  }
  return [...shown].toSorted((a, b) => a.index - b.index);
}

/** `9,950 more: 5,000 completed, 4,950 pending`; null when none is left over. */
export function summarizeRest({ tree }: TaskOrder, shown: readonly PlacedTask[]): string | null {
  const rest = tree.length - shown.length;
  if (rest <= 0) return null;
  const counts = new Map<TaskStatus, number>();
  for (const { task } of tree) counts.set(task.status, (counts.get(task.status) ?? 0) + 1);
  for (const { task } of shown) counts.set(task.status, (counts.get(task.status) ?? 0) - 1);
  const parts = [...counts].filter(([, count]) => count > 0).map(([status, count]) => `${format(count)} ${status}`);
  return `${format(rest)} more: ${parts.join(', ')}`;
}

const format = (count: number): string => count.toLocaleString('en-US');
