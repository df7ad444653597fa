import { isFinalTask, type GoalRecord, type TaskState } from './goal-record.ts';
import { approvalId } from './ids.ts';
import { bindingOf, type TaskOutline } from './plan-outline.ts';
import type { WaitingFor } from './schemas/goal.ts';

const namedDependencies = 5;

function listIds(ids: readonly string[]): string {
  const named = ids.slice(0, namedDependencies).join(', ');
  return ids.length > namedDependencies ? `${named} and ${ids.length - namedDependencies} more` : named;
}

/** May the task's dependents count on its being over? */
export function lets(record: GoalRecord, id: string): boolean {
  const status = record.tasks.get(id)?.status;
  if (status === 'failed') return record.outlineOf.get(id)?.onFailure === 'continue';
  return status === 'completed' || status === 'skipped';
}

/** Nothing new starts: the goal is being cancelled, or has failed and its running tasks end. */
export function isHalted(record: GoalRecord): boolean {
  if (record.state.status === 'cancelling') return true;
  if (record.state.progress.failed === 0) return false;
  return [...record.tasks].some(([id, { status }]) => status === 'failed' && !lets(record, id));
}

export const waitForTasks = (ids: readonly string[]): WaitingFor => ({
  kind: 'dependency',
  detail: listIds(ids),
  until: null,
});

export const waitForEnd = ({ state }: GoalRecord): WaitingFor => ({
  kind: 'goal_ending',
  detail: state.status === 'cancelling' ? 'the goal is being cancelled' : 'the goal has failed',
  until: null,
});

export const waitForResume = ({ state }: GoalRecord): WaitingFor => ({
  kind: 'paused',
  detail: state.pause?.reason ?? 'the goal is paused',
  until: null,
});

/** What keeps all of the goal's tasks from starting; null: nothing. */
export function goalWait({ head, state }: GoalRecord): WaitingFor | null {
  if (state.waitingFor) return state.waitingFor;
  if (state.status !== 'awaiting_approval') return null;
  return { kind: 'approval', detail: head ? approvalId(head.id, null) : '', until: null };
}

export function waitForWorker({ outline }: GoalRecord, task: TaskOutline): WaitingFor {
  const workerClass = outline && bindingOf(outline, task)?.workerClass;
  return { kind: 'worker', detail: workerClass ?? 'kernel', until: null };
}

/** What an event said of a task, and why it waits: what events leave open is that it waits for a worker. */
export const explained = (record: GoalRecord, task: TaskOutline, state: TaskState): TaskState =>
  state.waitingFor || state.status === 'running' || isFinalTask(state.status)
    ? state
    : { ...state, waitingFor: waitForWorker(record, task) };
