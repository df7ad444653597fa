import { criticalPath } from './critical-path.ts';
import {
  isFinalGoal,
  isFinalTask,
  leftBehind,
  outlineOfTask,
  touchedTask,
  untouchedTask,
  type GoalRecord,
  type TaskState,
} from './goal-record.ts';
import { approvalId } from './ids.ts';
import type { Json } from './json.ts';
import { bindingOf, type TaskOutline } from './plan-outline.ts';
import type { GraphView, TaskView, WaitingFor } from './schemas/goal.ts';

/** Outputs by task id; they are not in the record. */
export type Outputs = ReadonlyMap<string, Json>;

const namedDependencies = 5;

function listIds(ids: readonly string[]): string {
  const named = ids.slice(0, namedDependencies).join(', ');
  return ids.length > namedDependencies ? `${named} and ${ids.length - namedDependencies} more` : named;
}

/** May the task's dependents count on its being over? */
function lets(record: GoalRecord, id: string): boolean {
  const status = record.tasks.get(id)?.status;
  if (status === 'failed') return record.outlineOf.get(id)?.onFailure === 'continue';
  return status === 'completed' || status === 'skipped';
}

/** Nothing new starts: the goal is being cancelled, or has failed and its running tasks end. */
function isHalted(record: GoalRecord): boolean {
  if (record.state.status === 'cancelling') return true;
  if (record.state.progress.failed === 0) return false;
  return [...record.tasks].some(([id, { status }]) => status === 'failed' && !lets(record, id));
}

function planApprovalOf({ head, state }: GoalRecord): WaitingFor | null {
  if (!head || state.status !== 'awaiting_approval') return null;
  return { kind: 'approval', detail: approvalId(head.id, null), until: null };
}

function pausedState({ state: { pause } }: GoalRecord, unsettled: readonly string[]): TaskState {
  const waitingFor = { kind: 'paused', detail: pause?.reason ?? 'the goal is paused', until: null } as const;
  return { ...untouchedTask, status: unsettled.length > 0 ? 'pending' : 'ready', waitingFor };
}

const dependencyOn = (ids: readonly string[]): WaitingFor => ({
  kind: 'dependency',
  detail: listIds(ids),
  until: null,
});

/** The state of a task that no event has touched: what its dependencies, its goal and the plan's approval make of it. */
function derivedState(record: GoalRecord, task: TaskOutline, halted: boolean): TaskState {
  const { status: goal, waitingFor: goalWaitsFor, finishedAt } = record.state;
  if (isFinalGoal(goal)) return { ...untouchedTask, status: leftBehind(goal, false), finishedAt };
  const unsettled = task.after.filter((id) => !lets(record, id));
  if (goal === 'paused' && !halted) return pausedState(record, unsettled);
  const waitsFor = unsettled.length > 0 ? dependencyOn(unsettled) : (goalWaitsFor ?? planApprovalOf(record));
  if (waitsFor) return { ...untouchedTask, waitingFor: waitsFor };
  // A task all of whose dependencies were skipped is about to be skipped itself, and is not queued.
  const skipped = task.after.length > 0 && task.after.every((id) => record.tasks.get(id)?.status === 'skipped');
  if (halted || skipped) return { ...untouchedTask, status: 'ready' };
  const workerClass = record.outline && bindingOf(record.outline, task)?.workerClass;
  const waitingFor = { kind: 'worker', detail: workerClass ?? 'kernel', until: null } as const;
  return { ...untouchedTask, status: 'queued', waitingFor };
}

function receiptOf({ state: goal }: GoalRecord, task: TaskState): TaskView['cancelReceipt'] {
  if (task.cancelReceipt) return task.cancelReceipt;
  if ((goal.status !== 'cancelling' && goal.status !== 'cancelled') || task.status !== 'cancelled') return null;
  return task.startedAt === null ? 'not_started' : 'aborted';
}

interface Shown {
  readonly id: string;
  readonly state: TaskState;
  readonly outputs: Outputs;
}

function present(record: GoalRecord, outline: TaskOutline, { id, state, outputs }: Shown): TaskView {
  const output = outputs.get(id);
  return {
    id,
    title: outline.title ?? id,
    kind: outline.kind,
    tool: outline.tool ?? null,
    after: [...outline.after],
    ...state,
    cancelReceipt: receiptOf(record, state),
    ...(output === undefined ? {} : { output }),
  };
}

/** One task, or item of a map, of the goal's plan; null when the plan has none such. */
export function taskView(record: GoalRecord, taskId: string, outputs: Outputs): TaskView | null {
  const outline = outlineOfTask(record, taskId);
  if (!outline) return null;
  const touched = touchedTask(record, taskId);
  if (outline.id === taskId) {
    const state = touched ?? derivedState(record, outline, isHalted(record));
    return present(record, outline, { id: taskId, state, outputs });
  }
  // An item shows what its map repeats, and waits for nothing but its turn.
  if (!touched) return null;
  const ended = isFinalGoal(record.state.status) && !isFinalTask(touched.status);
  const state = ended ? { ...touched, status: 'cancelled' as const, waitingFor: null } : touched;
  return present(record, { ...outline, kind: 'tool', after: [] }, { id: taskId, state, outputs });
}

/** `GET /v1/goals/{id}/graph`; null before there is a plan. O(V + E). */
export function graphView(record: GoalRecord, outputs: Outputs = new Map()): GraphView | null {
  const { head, outline, state } = record;
  if (!head || !outline) return null;
  const halted = isHalted(record);
  return {
    goalId: head.id,
    seq: state.seq,
    revision: outline.revision,
    tasks: outline.tasks.map((task) => {
      const state = record.tasks.get(task.id) ?? derivedState(record, task, halted);
      return present(record, task, { id: task.id, state, outputs });
    }),
    edges: outline.tasks.flatMap(({ id, after }) => after.map((from) => ({ from, to: id }))),
    criticalPath: criticalPath(outline.tasks),
  };
}
