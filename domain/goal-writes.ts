import { addDecimals } from './decimal.ts';
import {
  compactItem,
  compensatedItem,
  isFinalTask,
  leftBehind,
  outlineOfTask,
  touchedTask,
  untouchedTask,
  type Changes,
  type GoalRecord,
  type LedgerChanges,
  type ParkedChange,
  type TaskState,
} from './goal-record.ts';
import { parseTaskId } from './ids.ts';
import type { Json } from './json.ts';
import type { Approval } from './schemas/approval.ts';
import type { Usage } from './schemas/common.ts';
import type { EventType, GoalEvent } from './schemas/event.ts';
import type { GoalState, GoalStatus, TaskStatus } from './schemas/goal.ts';

// What reducers do to a record: each write leaves in `Changes` what there is to store, and how to take it back.

type Event<T extends EventType> = Extract<GoalEvent, { type: T }>;
type TaskEnd = Event<'task.completed' | 'task.failed' | 'task.skipped' | 'task.cancelled'>;

const counterOf: { readonly [S in TaskStatus]: Exclude<keyof GoalState['progress'], 'total'> | null } = {
  pending: 'waiting',
  ready: 'waiting',
  queued: 'waiting',
  awaiting_approval: 'waiting',
  retrying: 'waiting',
  parked: 'waiting',
  running: 'running',
  completed: 'completed',
  failed: 'failed',
  skipped: 'skipped',
  // In no counter: cancelled tasks are what is missing from the total.
  cancelled: null,
};

export function update(record: GoalRecord, state: Partial<GoalState>): void {
  record.state = { ...record.state, ...state };
}

/** A goal that is being cancelled shows so until it ends, and one that is paused until it is resumed. */
export const unlessStopped = ({ state }: GoalRecord, status: GoalStatus): GoalStatus =>
  state.status === 'cancelling' || state.status === 'paused' ? state.status : status;

export const unpaused = ({ state }: GoalRecord): Partial<GoalState> => (state.pause ? { pause: undefined } : {});

export function put<V>(map: Map<string, V>, key: string, value: V, changes: Changes): void {
  const before = map.get(key);
  changes.undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
  map.set(key, value);
}

export function addTo(set: Set<string>, value: string, changes: Changes): void {
  changes.undo.push(() => set.delete(value));
  set.add(value);
}

export const ledgerOf = (changes: Changes): LedgerChanges => (changes.ledger ??= { settled: [], raised: [] });

const parkedOf = (changes: Changes): NonNullable<Changes['parked']> =>
  (changes.parked ??= new Map<string, ParkedChange | null>());

export function parkTask(
  record: GoalRecord,
  { taskId, attempt, at, seq, data }: Event<'task.parked'>,
  changes: Changes,
): void {
  const outline = outlineOfTask(record, taskId);
  if (taskId === null || !outline) return;
  const before = touchedTask(record, taskId) ?? untouchedTask;
  const { reason, detail = reason, error = before.error } = data;
  const waitingFor = { kind: waitingWhileParked[reason], detail, until: null };
  const attempts = Math.max(before.attempt, attempt);
  putTask(record, taskId, { ...before, status: 'parked', attempt: attempts, waitingFor, error }, { changes, seq });
  const { tool = '', title = outline.id } = outline;
  parkedOf(changes).set(taskId, { tool, title, reason, detail, error, attempt: attempts, at });
}

const waitingWhileParked = { budget: 'budget', failed: 'dead_letter', paused: 'paused' } as const;

export function putApproval(record: GoalRecord, approval: Approval, changes: Changes): void {
  put(record.approvals, approval.id, approval, changes);
  changes.approvals.set(approval.id, approval);
}

function cancelApprovals(record: GoalRecord, changes: Changes, of: (approval: Approval) => boolean): void {
  for (const approval of record.approvals.values()) {
    if (approval.status === 'pending' && of(approval))
      putApproval(record, { ...approval, status: 'cancelled' }, changes);
  }
}

/** Moves a task from one counter of the progress to another. */
export function count(record: GoalRecord, from: TaskStatus, to: TaskStatus): void {
  if (counterOf[from] === counterOf[to]) return;
  const progress = { ...record.state.progress };
  const [left, entered] = [counterOf[from], counterOf[to]];
  if (left) progress[left] -= 1;
  if (entered) progress[entered] += 1;
  update(record, { progress });
}

interface Written {
  readonly changes: Changes;
  readonly seq: number;
  readonly output?: Json;
}

export function putTask(record: GoalRecord, taskId: string, state: TaskState, { changes, ...rest }: Written): void {
  const before = touchedTask(record, taskId);
  changes.tasks.set(taskId, { taskId, state, ...rest });
  if (before?.status === 'parked') parkedOf(changes).set(taskId, null);
  const { id, index } = parseTaskId(taskId);
  if (index === null) {
    put(record.tasks, taskId, state, changes);
    return count(record, before?.status ?? 'pending', state.status);
  }
  put(record.items, taskId, compactItem(state), changes);
  countItem(record, { mapId: id, index }, state, { changes, seq: rest.seq });
}

/** Items show in their map's counters only. An item may be recorded before its map's start is. */
function countItem(
  record: GoalRecord,
  { mapId, index }: { readonly mapId: string; readonly index: number },
  item: TaskState,
  written: Written,
): void {
  const parent = record.tasks.get(mapId);
  const { total, completed, failed } = parent?.map ?? { total: 0, completed: 0, failed: 0 };
  if (parent && !isFinalTask(item.status) && index < total) return;
  const map = {
    total: Math.max(total, index + 1),
    completed: completed + (item.status === 'completed' ? 1 : 0),
    failed: failed + (item.status === 'failed' ? 1 : 0),
  };
  const started = { ...untouchedTask, status: 'running', startedAt: item.startedAt } as const;
  putTask(record, mapId, { ...(parent ?? started), map }, written);
}

export function endTask(record: GoalRecord, event: TaskEnd, changes: Changes, end: Partial<TaskState>): void {
  const { taskId, attempt, at, seq, type, data } = event;
  if (taskId === null) return;
  const before = touchedTask(record, taskId) ?? untouchedTask;
  const startedAt = before.startedAt ?? ('startedAt' in data ? data.startedAt : undefined) ?? null;
  const state: TaskState = {
    ...before,
    // Final events are named after the status they lead to.
    status: type.slice('task.'.length) as TaskStatus,
    attempt: type === 'task.skipped' ? before.attempt : Math.max(before.attempt, attempt),
    waitingFor: null,
    startedAt,
    finishedAt: at,
    error: null,
    ...(isFinishedAnyway(record, event) && { cancelReceipt: 'finished_anyway' }),
    ...end,
  };
  putTask(record, taskId, state, { changes, seq, ...('output' in data ? { output: data.output } : {}) });
  if (before.status === 'awaiting_approval') cancelApprovals(record, changes, (approval) => approval.taskId === taskId);
  addUsage(record, event);
}

const isFinishedAnyway = ({ state }: GoalRecord, { type }: TaskEnd): boolean =>
  state.status === 'cancelling' && (type === 'task.completed' || type === 'task.failed');

/**
 * What came of a task's compensation. Memory has not all of an item, nor a task's output: of an item nothing is stored but
 * the event, and a task's output comes with it.
 */
export function compensateTask(
  record: GoalRecord,
  { taskId, seq, type, data }: Event<'task.compensated' | 'task.compensation_failed'>,
  changes: Changes,
): void {
  if (taskId === null) return;
  if (parseTaskId(taskId).index !== null) return put(record.items, taskId, compensatedItem, changes);
  const before = record.tasks.get(taskId);
  if (!before) return;
  const done = type === 'task.compensated' && before.status === 'completed';
  const state: TaskState = {
    ...before,
    ...(done && { cancelReceipt: 'compensated' }),
    ...('error' in data && { compensationError: data.error }),
    ...(before.map && data.items !== undefined && { map: { ...before.map, compensated: data.items } }),
  };
  putTask(record, taskId, state, { changes, seq, ...(data.output === undefined ? {} : { output: data.output }) });
}

/** What a tool does not report it at least took in time; how long other kinds of tasks took is mostly waiting. */
function addUsage(record: GoalRecord, { taskId, at, data }: TaskEnd): void {
  const { id, index } = parseTaskId(taskId ?? '');
  const isCall = index !== null || record.outlineOf.get(id)?.kind === 'tool';
  const startedAt = 'startedAt' in data ? data.startedAt : undefined;
  const seconds = isCall && startedAt !== undefined ? Math.max((Date.parse(at) - Date.parse(startedAt)) / 1000, 0) : 0;
  const used: Usage = ('usage' in data ? data.usage : undefined) ?? { usd: '0', tokens: 0, seconds };
  const before = record.state.usage;
  update(record, {
    usage: {
      usd: addDecimals(before.usd, used.usd),
      tokens: before.tokens + used.tokens,
      seconds: Math.round((before.seconds + used.seconds) * 1000) / 1000,
    },
  });
}

export function endGoal(
  record: GoalRecord,
  { at, seq, type }: Event<'goal.completed' | 'goal.failed' | 'goal.cancelled'>,
  changes: Changes,
): void {
  // Final events are named after the status they lead to.
  const status = type.slice('goal.'.length) as GoalStatus;
  const untouched = record.state.progress.total - record.tasks.size;
  for (const [taskId, task] of record.tasks) {
    if (isFinalTask(task.status)) continue;
    const left = { ...task, status: leftBehind(status, true), waitingFor: null, finishedAt: at };
    putTask(record, taskId, left, { changes, seq });
  }
  const { progress } = record.state;
  const skipped = progress.skipped + (leftBehind(status, false) === 'skipped' ? untouched : 0);
  const over = { status, waitingFor: null, finishedAt: at, progress: { ...progress, skipped, waiting: 0 } };
  update(record, { ...over, ...unpaused(record) });
  cancelApprovals(record, changes, () => true);
}

/** Forgets the tasks, with their items, that `keeps` says no to, and counts the others anew. */
export function keepTasks(
  record: GoalRecord,
  { changes, seq }: Pick<Written, 'changes' | 'seq'>,
  keeps: (taskId: string) => boolean,
): void {
  for (const [id, task] of record.tasks) {
    if (keeps(id)) {
      count(record, 'pending', task.status);
      continue;
    }
    remove(record.tasks, id, changes);
    changes.tasks.delete(id);
    if (task.status === 'parked') parkedOf(changes).set(id, null);
    changes.removed.set(id, seq);
  }
  if (changes.removed.size === 0) return;
  for (const [itemId, { status }] of record.items) {
    if (!changes.removed.has(parseTaskId(itemId).id)) continue;
    if (status === 'parked') parkedOf(changes).set(itemId, null);
    remove(record.items, itemId, changes);
    changes.tasks.delete(itemId);
  }
  cancelApprovals(record, changes, ({ taskId }) => taskId !== null && changes.removed.has(taskId));
}

function remove<V>(map: Map<string, V>, key: string, changes: Changes): void {
  const before = map.get(key);
  if (before === undefined) return;
  changes.undo.push(() => map.set(key, before));
  map.delete(key);
}

/** An output that is too large to travel is an artifact of the goal like any other. */
export function keepArtifact(
  record: GoalRecord,
  { taskId, at, data }: Event<'artifact.created' | 'task.completed' | 'goal.completed'>,
  changes: Changes,
): void {
  if (!('artifact' in data) || record.artifacts.has(data.artifact.id)) return;
  addTo(record.artifacts, data.artifact.id, changes);
  changes.artifacts.set(data.artifact.id, { artifact: data.artifact, taskId, at });
}
