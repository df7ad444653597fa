import { forecast, itemEndMs, longestChain, shapeOf, type Knowledge, type StandingTask } from './forecast.ts';
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
import type { Json } from './json.ts';
import type { TaskOutline } from './plan-outline.ts';
import type { GraphView, TaskView } from './schemas/goal.ts';
import { explained, goalWait, isHalted, lets, waitForEnd, waitForTasks, waitForWorker } from './waiting.ts';

/** Outputs by task id; they are not in the record. */
export type Outputs = ReadonlyMap<string, Json>;

interface Sources {
  /** Those of tasks that are left out are not shown. */
  readonly outputs?: Outputs;
  /** Without it nothing is foretold. */
  readonly knowledge?: Knowledge | undefined;
}

/** The state of a task that no event has touched: what its dependencies, its goal and the plan's approval make of it. */
function derivedState(record: GoalRecord, task: TaskOutline, halted: boolean): TaskState {
  const { status: goal, finishedAt } = record.state;
  if (isFinalGoal(goal)) return { ...untouchedTask, status: leftBehind(goal, false), finishedAt };
  const unsettled = task.after.filter((id) => !lets(record, id));
  if (halted) {
    return { ...untouchedTask, status: unsettled.length > 0 ? 'pending' : 'ready', waitingFor: waitForEnd(record) };
  }
  if (unsettled.length > 0) return { ...untouchedTask, waitingFor: waitForTasks(unsettled) };
  const held = goalWait(record);
  if (held) return { ...untouchedTask, waitingFor: held };
  // A task all of whose dependencies were skipped is about to be skipped itself, and is not queued.
  const skipped = task.after.length > 0 && task.after.every((id) => record.tasks.get(id)?.status === 'skipped');
  if (skipped) return { ...untouchedTask, status: 'ready', waitingFor: waitForTasks(task.after) };
  return { ...untouchedTask, status: 'queued', waitingFor: waitForWorker(record, task) };
}

function standingTasks(record: GoalRecord): StandingTask[] {
  const halted = isHalted(record);
  return (record.outline?.tasks ?? []).map((outline) => {
    const touched = record.tasks.get(outline.id);
    const state = touched ? explained(record, outline, touched) : derivedState(record, outline, halted);
    return { outline, state };
  });
}

function receiptOf({ state: goal }: GoalRecord, task: TaskState): TaskView['cancelReceipt'] {
  if (task.cancelReceipt) return task.cancelReceipt;
  if ((goal.status !== 'cancelling' && goal.status !== 'cancelled') || task.status !== 'cancelled') return null;
  return task.startedAt === null ? 'not_started' : 'aborted';
}

const timeOf = (ms: number | null | undefined): string | null =>
  ms === null || ms === undefined ? null : new Date(ms).toISOString();

interface Shown {
  readonly id: string;
  readonly outputs: Outputs;
  readonly endMs: number | null | undefined;
}

function present(record: GoalRecord, { outline, state }: StandingTask, { id, outputs, endMs }: Shown): TaskView {
  const output = outputs.get(id);
  return {
    id,
    title: outline.title ?? id,
    kind: outline.kind,
    tool: outline.tool ?? null,
    after: [...outline.after],
    ...state,
    eta: timeOf(endMs),
    cancelReceipt: receiptOf(record, state),
    ...(output === undefined ? {} : { output }),
  };
}

/** An item shows what its map repeats, and waits for nothing but its turn. */
function itemView(record: GoalRecord, map: TaskOutline, { id, touched, sources }: Item): TaskView {
  const { outputs = new Map(), knowledge } = sources;
  const outline: TaskOutline = { ...map, kind: 'tool', after: [] };
  const ended = isFinalGoal(record.state.status) && !isFinalTask(touched.status);
  const state = ended
    ? { ...touched, status: 'cancelled' as const, waitingFor: null }
    : explained(record, outline, touched);
  const task = { outline, state };
  return present(record, task, { id, outputs, endMs: knowledge && itemEndMs(task, knowledge) });
}

interface Item {
  readonly id: string;
  readonly touched: TaskState;
  readonly sources: Sources;
}

/** One task, or item of a map, of the goal's plan; null when the plan has none such. O(V + E). */
export function taskView(record: GoalRecord, taskId: string, sources: Sources = {}): TaskView | null {
  const planned = outlineOfTask(record, taskId);
  if (!planned) return null;
  if (planned.id !== taskId) {
    const touched = touchedTask(record, taskId);
    return touched ? itemView(record, planned, { id: taskId, touched, sources }) : null;
  }
  const { outputs = new Map(), knowledge } = sources;
  const tasks = standingTasks(record);
  const index = tasks.findIndex(({ outline }) => outline.id === taskId);
  const task = tasks[index];
  if (!task) return null;
  const isOver = isFinalTask(task.state.status);
  const foretold = knowledge && !isOver ? forecast(tasks, knowledge, { shape: shapeOf(tasks) }) : null;
  return present(record, task, { id: taskId, outputs, endMs: foretold?.endsMs[index] });
}

/** `GET /v1/goals/{id}/graph`; null before there is a plan. O(V + E). */
export function graphView(record: GoalRecord, { outputs = new Map(), knowledge }: Sources = {}): GraphView | null {
  const { head, outline, state } = record;
  if (!head || !outline) return null;
  const tasks = standingTasks(record);
  const shape = shapeOf(tasks);
  const foretold = knowledge && !isFinalGoal(state.status) ? forecast(tasks, knowledge, { shape }) : null;
  return {
    goalId: head.id,
    seq: state.seq,
    revision: outline.revision,
    tasks: tasks.map((task, index) =>
      present(record, task, { id: task.outline.id, outputs, endMs: foretold?.endsMs[index] }),
    ),
    edges: outline.tasks.flatMap(({ id, after }) => after.map((from) => ({ from, to: id }))),
    criticalPath: longestChain(tasks, knowledge?.known ?? new Map(), { shape }),
    eta: timeOf(foretold?.endMs),
  };
}
