import { AstraError } from './errors.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import { createReadySet, type ReadySet } from './ready-set.ts';
import type { GoalView } from './schemas/goal.ts';
import { isSettled, linkTaskNodes, type SettledStatus, type TaskNode } from './task-graph-nodes.ts';

export type { SettledStatus };

/**
 * Which tasks of a plan may start, given how others ended.
 *
 * 1. A task is ready once all its dependencies are settled, and it is handed out at most once until it is released.
 * 2. Ready tasks are handed out by the length of the longest chain that they begin, the longest first; of equals, in
 *    the plan's order.
 * 3. A task whose dependencies (at least one) were all skipped is skipped.
 * 4. The graph halts, so that nothing is handed out any more, when a task fails whose `onFailure` is not `continue`,
 *    and when one is cancelled.
 * 5. The first settlement of a task counts; later ones are ignored.
 *
 * Deterministic, and O(V + E) over a whole run, apart from tasks that are released and taken again.
 */
export interface TaskGraph {
  /** The task that halted the graph by failing. */
  readonly failedTask: string | null;
  readonly halted: boolean;
  /** Nothing is started, and nothing can start any more. */
  readonly done: boolean;
  /** Marks up to `limit` ready tasks that are not inline as started and returns them. */
  takeReady(limit?: number): readonly TaskOutline[];
  /**
   * Marks as started, and returns dependencies first, up to `limit` tasks: the ready ones that are inline, and what can
   * follow them without leaving the segment, that is inline tasks whose other dependencies are settled or in it too.
   * What exceeds the limit waits for another segment.
   */
  takeSegment(limit?: number): readonly TaskOutline[];
  /**
   * Puts started tasks back that did not end. Returns the ids of the tasks that are skipped thereby; they are settled.
   * @throws ASTRA_INTERNAL when the plan has no such task
   */
  release(ids: readonly string[]): readonly string[];
  /**
   * Settles a task. Returns the ids of the tasks that are skipped thereby, dependencies first; they are settled.
   * @throws ASTRA_INTERNAL when the plan has no such task
   */
  settle(id: string, status: SettledStatus): readonly string[];
  /** From now on no task is inline. */
  leaveSegments(): void;
  /** Ids of the tasks neither started nor settled, in the plan's order. */
  unstarted(): readonly string[];
  /** What `createTaskGraph` needs to go on from here; tasks under way count as never started. */
  settledStatuses(): Readonly<Record<string, SettledStatus>>;
  /** Cancelled tasks count in `total` alone. */
  progress(): GoalView['progress'];
}

type IsInline = (task: TaskOutline) => boolean;

interface GraphOptions {
  /** Tells the tasks that `takeSegment` hands out; none unless given. Asked as they become ready. */
  readonly isInline?: IsInline;
  /** Tasks that were handed out by the graph of an earlier revision of the plan, and run on. */
  readonly started?: readonly string[];
}

interface GraphState {
  readonly nodes: readonly TaskNode[];
  readonly byId: ReadonlyMap<string, TaskNode>;
  readonly byPosition: readonly TaskNode[];
  isInline: IsInline;
  /** Positions of the ready tasks, inline ones apart. */
  readonly ready: ReadySet;
  readonly readyInline: ReadySet;
  readonly counts: Record<SettledStatus | 'started', number>;
  failedTask: string | null;
  halted: boolean;
}

function start(graph: GraphState, node: TaskNode): void {
  graph.ready.remove(node.position);
  graph.readyInline.remove(node.position);
  node.state = 'started';
  graph.counts.started += 1;
}

function end(graph: GraphState, node: TaskNode, status: SettledStatus): void {
  if (node.state === 'started') graph.counts.started -= 1;
  graph.ready.remove(node.position);
  graph.readyInline.remove(node.position);
  node.state = status;
  graph.counts[status] += 1;
  const fails = status === 'failed' && node.task.onFailure !== 'continue';
  if (fails) graph.failedTask ??= node.task.id;
  if (fails || status === 'cancelled') graph.halted = true;
}

/** Makes a task that waits for nothing ready, or skips it. Returns whether it skipped it. */
function admit(graph: GraphState, node: TaskNode): boolean {
  const { after } = node.task;
  if (after.length > 0 && node.skippedDependencies === after.length) {
    end(graph, node, 'skipped');
    return true;
  }
  node.state = 'ready';
  (graph.isInline(node.task) ? graph.readyInline : graph.ready).add(node.position);
  return false;
}

/** Tells the dependents of a task that has ended, and those of the tasks skipped thereby. Returns the ids of these. */
function propagate(graph: GraphState, ended: TaskNode): string[] {
  const queue = [ended];
  // The loop also visits what is pushed while it runs.
  for (const node of queue) {
    for (const dependent of node.dependents) {
      dependent.unsettledDependencies -= 1;
      if (node.state === 'skipped') dependent.skippedDependencies += 1;
      if (dependent.unsettledDependencies > 0 || dependent.state !== 'pending') continue;
      if (admit(graph, dependent)) queue.push(dependent);
    }
  }
  return queue.slice(1).map(({ task }) => task.id);
}

/** Admits those of the tasks that wait for nothing. Returns the ids of the tasks skipped thereby. */
function admitAll(graph: GraphState, nodes: readonly TaskNode[]): string[] {
  return nodes
    .filter((node) => node.state === 'pending' && node.unsettledDependencies === 0)
    .flatMap((node) => (admit(graph, node) ? [node.task.id, ...propagate(graph, node)] : []));
}

/** Starts up to `limit` of the ready tasks given. */
function takeLeast(graph: GraphState, ready: ReadySet, limit: number): TaskNode[] {
  const taken: TaskNode[] = [];
  while (!graph.halted && taken.length < limit) {
    const node = graph.byPosition[ready.takeLeast()];
    if (!node) break;
    start(graph, node);
    taken.push(node);
  }
  return taken;
}

function takeSegment(graph: GraphState, limit: number): TaskOutline[] {
  const segment = takeLeast(graph, graph.readyInline, limit);
  const metDependencies = new Map<TaskNode, number>();
  // The loop also visits what is pushed while it runs.
  for (const node of segment) {
    for (const dependent of node.dependents) {
      if (segment.length >= limit) break;
      const met = (metDependencies.get(dependent) ?? 0) + 1;
      metDependencies.set(dependent, met);
      const follows = dependent.state === 'pending' && met === dependent.unsettledDependencies;
      if (!follows || !graph.isInline(dependent.task)) continue;
      start(graph, dependent);
      segment.push(dependent);
    }
  }
  return segment.map(({ task }) => task);
}

function initialState(
  tasks: readonly TaskOutline[],
  settled: Readonly<Record<string, SettledStatus>>,
  { isInline = () => false, started = [] }: GraphOptions,
): GraphState {
  const nodes = linkTaskNodes(tasks, settled);
  const graph: GraphState = {
    nodes,
    byId: new Map(nodes.map((node) => [node.task.id, node])),
    byPosition: nodes.toSorted((a, b) => a.position - b.position),
    isInline,
    ready: createReadySet(nodes.length),
    readyInline: createReadySet(nodes.length),
    counts: { started: 0, completed: 0, failed: 0, skipped: 0, cancelled: 0 },
    failedTask: null,
    halted: false,
  };
  for (const node of nodes) if (isSettled(node.state)) end(graph, node, node.state);
  for (const id of started) {
    const node = graph.byId.get(id);
    if (node?.state === 'pending') start(graph, node);
  }
  admitAll(graph, nodes);
  return graph;
}

/**
 * Their ids and how they ended enter the history, up to 100 bytes each. With 1,000 a chain of 10,000 took the worker 1.6 s of
 * processor time instead of 1.0.
 */
const segmentTasks = 2_500;

/**
 * @param settled How tasks ended already. It may name dependencies outside `outline.tasks`, so that a part of a plan can
 *   be run by itself.
 * @throws ASTRA_INTERNAL when a dependency is neither a task of the outline nor settled
 */
export function createTaskGraph(
  outline: Pick<PlanOutline, 'tasks'>,
  settled: Readonly<Record<string, SettledStatus>> = {},
  options: GraphOptions = {},
): TaskGraph {
  const graph = initialState(outline.tasks, settled, options);
  const nodeOf = (id: string): TaskNode => {
    const node = graph.byId.get(id);
    if (!node) throw new AstraError('ASTRA_INTERNAL', `The plan has no task "${id}".`);
    return node;
  };

  return {
    get failedTask() {
      return graph.failedTask;
    },
    get halted() {
      return graph.halted;
    },
    get done() {
      return graph.counts.started === 0 && (graph.halted || graph.ready.count + graph.readyInline.count === 0);
    },
    takeReady: (limit = Infinity) => takeLeast(graph, graph.ready, limit).map(({ task }) => task),
    takeSegment: (limit = segmentTasks) => takeSegment(graph, limit),
    release(ids) {
      const released = ids.map(nodeOf).filter((node) => node.state === 'started');
      for (const node of released) node.state = 'pending';
      graph.counts.started -= released.length;
      return admitAll(graph, released);
    },
    settle(id, status) {
      const node = nodeOf(id);
      if (isSettled(node.state)) return [];
      end(graph, node, status);
      return propagate(graph, node);
    },
    leaveSegments() {
      graph.isInline = () => false;
      for (let position = graph.readyInline.takeLeast(); position >= 0; position = graph.readyInline.takeLeast()) {
        graph.ready.add(position);
      }
    },
    unstarted: () =>
      graph.nodes.filter(({ state }) => state === 'pending' || state === 'ready').map(({ task }) => task.id),
    settledStatuses: () =>
      Object.fromEntries(graph.nodes.flatMap(({ task, state }) => (isSettled(state) ? [[task.id, state]] : []))),
    progress() {
      const { started: running, completed, failed, skipped, cancelled } = graph.counts;
      const total = graph.nodes.length;
      const waiting = total - running - completed - failed - skipped - cancelled;
      return { total, completed, running, failed, skipped, waiting };
    },
  };
}
