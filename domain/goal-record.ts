import { parseTaskId } from './ids.ts';
import type { Json } from './json.ts';
import type { PlanOutline, TaskOutline } from './plan-outline.ts';
import type { Approval } from './schemas/approval.ts';
import type { BudgetAmounts } from './schemas/budget.ts';
import type { Artifact } from './schemas/artifact.ts';
import type { ErrorInfo } from './schemas/common.ts';
import type { ParkReason } from './schemas/event.ts';
import type { GoalHead, GoalState, GoalStatus, TaskStatus, TaskView } from './schemas/goal.ts';

/** What events say of a task: its view without what the plan says of it, and without its output. */
export type TaskState = Readonly<
  Pick<
    TaskView,
    | 'status'
    | 'attempt'
    | 'waitingFor'
    | 'startedAt'
    | 'finishedAt'
    | 'error'
    | 'childGoalId'
    | 'map'
    | 'artifact'
    | 'compensationError'
  >
> & {
  /** Those receipts that do not follow from how task and goal ended. */
  readonly cancelReceipt?: 'finished_anyway' | 'compensated';
};

/**
 * A goal as its events tell it, folded by domain/goal-view.ts.
 *
 * 1. It holds only tasks that an event has touched. Whether another task is pending or queued follows from the plan and
 *    these, and is derived when somebody looks (domain/graph-view.ts): so folding an event never walks the plan.
 * 2. It is updated in place, as a goal has up to 10,000 tasks and 100,000 items and an event changes one. The values in
 *    it are never mutated but replaced, so that `Changes` can take a fold back.
 */
export interface GoalRecord {
  head: GoalHead | null;
  state: GoalState;
  outline: PlanOutline | null;
  /** The outline's tasks. */
  outlineOf: ReadonlyMap<string, TaskOutline>;
  readonly tasks: Map<string, TaskState>;
  /** By `each.3`. Settled items share a few objects: see `compactItem`. */
  readonly items: Map<string, TaskState>;
  readonly approvals: Map<string, Approval>;
  /** Ids of the artifacts created. */
  readonly artifacts: Set<string>;
  /** Names of events that happen once and show nowhere else. */
  readonly marks: Set<string>;
}

/** A task's new state; `output` is there when it completed with one that travels inline. */
export interface TaskChange {
  readonly taskId: string;
  readonly state: TaskState;
  readonly seq: number;
  readonly output?: Json;
}

/** What a fold says of the budgets. Their amounts are not in the record: many goals share them. */
export interface LedgerChanges {
  /** Attempts that have ended; `actual` is null when nobody knows what they have cost. */
  readonly settled: { readonly taskId: string; readonly actual: BudgetAmounts | null }[];
  readonly raised: { readonly scope: string; readonly limit: BudgetAmounts }[];
}

/** A task that has been parked, as lists show it. */
export interface ParkedChange {
  readonly tool: string;
  readonly title: string;
  readonly reason: ParkReason;
  readonly detail: string;
  readonly error: ErrorInfo | null;
  readonly attempt: number;
  readonly at: string;
}

/** What a fold did to a record: what there is to store, and how to take it back. */
export interface Changes {
  readonly tasks: Map<string, TaskChange>;
  readonly approvals: Map<string, Approval>;
  readonly artifacts: Map<string, { readonly artifact: Artifact; readonly taskId: string | null; readonly at: string }>;
  plan: PlanOutline | null;
  /** Tasks that the plan has no more, or that begin anew → `seq` of the event by which nothing older is left of them. */
  readonly removed: Map<string, number>;
  ledger: LedgerChanges | null;
  /** Null for nearly all. By task: why it is parked; null: it is no more. */
  parked: Map<string, ParkedChange | null> | null;
  readonly undo: (() => void)[];
}

export type SettledTask =
  { readonly status: 'completed' | 'skipped' | 'cancelled' } | { readonly status: 'failed'; readonly error: ErrorInfo };

export const noProgress: GoalState['progress'] = {
  total: 0,
  completed: 0,
  running: 0,
  failed: 0,
  skipped: 0,
  waiting: 0,
};

/** The state of a goal of which nothing is recorded yet. */
export const acceptedState: GoalState = {
  seq: 0,
  run: 1,
  status: 'accepted',
  waitingFor: null,
  plan: null,
  progress: noProgress,
  output: null,
  outputArtifact: null,
  error: null,
  usage: { usd: '0', tokens: 0, seconds: 0 },
  startedAt: null,
  finishedAt: null,
};

export const untouchedTask: TaskState = {
  status: 'pending',
  attempt: 0,
  waitingFor: null,
  startedAt: null,
  finishedAt: null,
  error: null,
  childGoalId: null,
  map: null,
};

export const emptyRecord = (): GoalRecord => ({
  head: null,
  state: acceptedState,
  outline: null,
  outlineOf: new Map(),
  tasks: new Map(),
  items: new Map(),
  approvals: new Map(),
  artifacts: new Set(),
  marks: new Set(),
});

/** A record as a store kept it. What is left out is empty: the record then serves views, not `isNews`. */
export function restoreRecord(
  kept: Pick<GoalRecord, 'head' | 'state' | 'outline'> & {
    readonly tasks: Iterable<readonly [string, TaskState]>;
    readonly items?: Iterable<readonly [string, TaskState]>;
    readonly approvals?: readonly Approval[];
    readonly artifacts?: readonly string[];
    readonly marks?: readonly string[];
    /** Items whose compensation is recorded, however it came out. */
    readonly compensated?: readonly string[];
  },
): GoalRecord {
  const { head, state, outline, tasks, items = [], approvals = [], artifacts, marks, compensated = [] } = kept;
  const outlineOf = indexOutline(outline);
  return {
    head,
    state,
    outline,
    outlineOf,
    // A new revision of the plan may have dropped some.
    tasks: new Map([...tasks].filter(([id]) => outlineOf.has(id))),
    items: new Map([
      ...[...items].map(([id, item]) => [id, compactItem(item)] as const),
      ...compensated.map((id) => [id, compensatedItem] as const),
    ]),
    approvals: new Map(approvals.map((approval) => [approval.id, approval])),
    artifacts: new Set(artifacts),
    marks: new Set(marks),
  };
}

export const indexOutline = (outline: PlanOutline | null): GoalRecord['outlineOf'] =>
  new Map(outline?.tasks.map((task) => [task.id, task]));

/** Begins a fold that can be taken back. */
export function startChanges(record: GoalRecord): Changes {
  const { head, state, outline, outlineOf } = record;
  return {
    tasks: new Map(),
    approvals: new Map(),
    artifacts: new Map(),
    plan: null,
    removed: new Map(),
    ledger: null,
    parked: null,
    undo: [() => Object.assign(record, { head, state, outline, outlineOf })],
  };
}

/** Takes back all that was folded since `startChanges`. */
export function rollback(changes: Changes): void {
  for (const undo of changes.undo.splice(0).reverse()) undo();
}

/** The plan's task that an event is about: for an item, its map. Undefined when the plan has none such. */
export function outlineOfTask(record: GoalRecord, taskId: string | null): TaskOutline | undefined {
  if (taskId === null) return undefined;
  const { id, index } = parseTaskId(taskId);
  const outline = record.outlineOf.get(id);
  if (index === null) return outline;
  return outline?.kind === 'map' && Number.isInteger(index) && index >= 0 ? outline : undefined;
}

/** What events say of a task or item; undefined when no event has touched it. */
export const touchedTask = (record: GoalRecord, taskId: string): TaskState | undefined =>
  taskId.includes('.') ? record.items.get(taskId) : record.tasks.get(taskId);

export const isFinalGoal = (status: GoalStatus): status is 'completed' | 'failed' | 'cancelled' =>
  status === 'completed' || status === 'failed' || status === 'cancelled';
export const isFinalTask = (status: TaskStatus): status is SettledTask['status'] =>
  status === 'completed' || status === 'failed' || status === 'cancelled' || status === 'skipped';

/** Has it failed for good, and waits for people to say what becomes of it? */
export const isDeadLetter = ({ status, waitingFor }: Pick<TaskState, 'status' | 'waitingFor'>): boolean =>
  status === 'parked' && waitingFor?.kind === 'dead_letter';

const settledItems = {
  completed: { ...untouchedTask, status: 'completed' },
  skipped: { ...untouchedTask, status: 'skipped' },
  cancelled: { ...untouchedTask, status: 'cancelled' },
} as const;

/** A completed item whose compensation is recorded; its row in the store stays as it was. */
export const compensatedItem: TaskState = { ...settledItems.completed, cancelReceipt: 'compensated' };

/** Of a settled item memory keeps how it ended, in some 70 bytes; the rest of its state is in the store. */
export function compactItem(state: TaskState): TaskState {
  if (!isFinalTask(state.status)) return state;
  return state.status === 'failed'
    ? { ...untouchedTask, status: 'failed', error: state.error }
    : settledItems[state.status];
}

/** How a task that an ended goal left behind counts: one never started as skipped, unless the goal was cancelled. */
export function leftBehind(goal: GoalStatus, touched: boolean): 'skipped' | 'cancelled' {
  return touched || goal === 'cancelled' ? 'cancelled' : 'skipped';
}

/** How a task or item ended; null while it has not. */
export function settledTask(record: GoalRecord, taskId: string): SettledTask | null {
  const state = touchedTask(record, taskId);
  if (state && isFinalTask(state.status)) {
    if (state.status !== 'failed') return { status: state.status };
    // The reducer sets the error of every failed task.
    return { status: 'failed', error: state.error as ErrorInfo };
  }
  const { id, index } = parseTaskId(taskId);
  const map = index === null ? undefined : record.tasks.get(id);
  // An item that its map did not wait for.
  if (map && isFinalTask(map.status)) return { status: 'cancelled' };
  return isFinalGoal(record.state.status) ? { status: leftBehind(record.state.status, state !== undefined) } : null;
}
