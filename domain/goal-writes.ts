import { addDecimals } from './decimal.ts';
import {
  compactItem,
  isFinalTask,
  leftBehind,
  touchedTask,
  untouchedTask,
  type Changes,
  type GoalRecord,
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

/** A goal that is being cancelled shows so until it ends. */
export const unlessCancelling = (record: GoalRecord, status: GoalStatus): GoalStatus =>
  record.state.status === 'cancelling' ? 'cancelling' : status;

export function put<V>(map: Map<string, V>, key: string, value: V, changes: Changes): void {
  const before = map.get(key);
  changes.undo.push(() => (before === undefined ? map.delete(key) : map.set(key, before)));
  map.set(key, value);
}

export function addTo(set: Set<string>, value: string, changes: Changes): void {
  changes.undo.push(() => set.delete(value));
  set.add(value);
}

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
    ...end,
  };
  putTask(record, taskId, state, { changes, seq, ...('output' in data ? { output: data.output } : {}) });
  if (before.status === 'awaiting_approval') cancelApprovals(record, changes, (approval) => approval.taskId === taskId);
  addUsage(record, event);
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
  update(record, { status, waitingFor: null, finishedAt: at, progress: { ...progress, skipped, waiting: 0 } });
  cancelApprovals(record, changes, () => true);
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
