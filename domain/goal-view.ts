import { exhaustedMark, raisedMark } from './goal-news.ts';
import { approvalReducers } from './approvals/approval-reducers.ts';
import { startChanges, touchedTask, untouchedTask, type Changes, type GoalRecord } from './goal-record.ts';
import {
  addTo,
  compensateTask,
  endGoal,
  endTask,
  keepArtifact,
  ledgerOf,
  parkTask,
  putTask,
  unlessStopped,
  unpaused,
  update,
} from './goal-writes.ts';
import { pauseGoal, resumeGoal } from './pause.ts';
import { amend, planReducers } from './plan-reducers.ts';
import { replanTermsOf } from './replans.ts';
import type { EventType, GoalEvent, Output } from './schemas/event.ts';
import type { GoalHead, GoalState } from './schemas/goal.ts';

export { isNews } from './goal-news.ts';
export { acceptedState, emptyRecord } from './goal-record.ts';
export type { GoalRecord } from './goal-record.ts';
export { graphView } from './graph-view.ts';

type Event<T extends EventType> = Extract<GoalEvent, { type: T }>;
export type Reducers = { readonly [T in EventType]: (record: GoalRecord, event: Event<T>, changes: Changes) => void };

const outputOf = (data: Output): Pick<GoalState, 'output' | 'outputArtifact'> =>
  'artifact' in data ? { output: null, outputArtifact: data.artifact } : { output: data.output, outputArtifact: null };

const reducers: Reducers = {
  'goal.submitted'(record, { data }) {
    record.head = data.head;
    const terms = replanTermsOf(data.head);
    update(record, { status: 'planning', ...(terms && { replans: { used: 0, limit: terms.limit } }) });
  },
  'goal.context_assembled': (record, { type }, changes) => addTo(record.marks, type, changes),
  'goal.waiting': (record, { data: { waitingFor } }) =>
    update(record, { status: unlessStopped(record, 'accepted'), waitingFor }),
  'goal.released': (record) => update(record, { status: unlessStopped(record, 'planning'), waitingFor: null }),
  'goal.queued': (record, { data }) =>
    update(record, {
      status: unlessStopped(record, 'accepted'),
      startedAt: record.tasks.size === 0 ? null : record.state.startedAt,
      waitingFor: data.waitingFor,
    }),
  'goal.admitted': (record, { at }) =>
    update(record, {
      status: unlessStopped(record, record.outline ? 'running' : 'planning'),
      startedAt: record.state.startedAt ?? (record.outline ? at : null),
      waitingFor: null,
    }),
  'goal.paused': pauseGoal,
  'goal.resumed': resumeGoal,
  'goal.cancelling': (record) => update(record, { status: 'cancelling', waitingFor: null, ...unpaused(record) }),
  'goal.completed'(record, event, changes) {
    endGoal(record, event, changes);
    keepArtifact(record, event, changes);
    update(record, outputOf(event.data));
  },
  'goal.failed'(record, event, changes) {
    endGoal(record, event, changes);
    update(record, { error: event.data.error });
  },
  'goal.cancelled'(record, event, changes) {
    endGoal(record, event, changes);
    if (event.data.error) update(record, { error: event.data.error });
  },
  ...planReducers,
  'goal.retried'(record, event, changes) {
    const { run } = event.data;
    const { replans } = record.state;
    update(record, { run, status: 'running', output: null, outputArtifact: null, error: null, finishedAt: null });
    if (replans) update(record, { replans: { ...replans, used: 0 } });
    amend(record, event, changes);
  },
  'task.queued'(record, { taskId, seq, data: { waitingFor } }, changes) {
    if (taskId === null) return;
    const before = touchedTask(record, taskId) ?? untouchedTask;
    // The attempt has not begun: it is counted when it does.
    putTask(record, taskId, { ...before, status: 'queued', waitingFor }, { changes, seq });
  },
  'task.started'(record, { taskId, attempt, at, seq, data }, changes) {
    if (taskId === null) return;
    const before = touchedTask(record, taskId) ?? untouchedTask;
    const { waitingFor = null, childGoalId = before.childGoalId, items } = data;
    const map = items === undefined ? before.map : { completed: 0, failed: 0, ...before.map, total: items };
    const status = waitingFor?.kind === 'approval' ? 'awaiting_approval' : 'running';
    const startedAt = before.startedAt ?? at;
    const state = { ...before, status, attempt, waitingFor, startedAt, error: null, childGoalId, map } as const;
    putTask(record, taskId, state, { changes, seq });
  },
  'task.retrying'(record, { taskId, attempt, seq, data: { error, nextAttemptAt } }, changes) {
    if (taskId === null) return;
    const before = touchedTask(record, taskId) ?? untouchedTask;
    const waitingFor = { kind: 'retry', detail: error.code, until: nextAttemptAt } as const;
    putTask(record, taskId, { ...before, status: 'retrying', attempt, waitingFor, error }, { changes, seq });
  },
  'task.parked': parkTask,
  'task.unparked'(record, { taskId, seq }, changes) {
    const before = taskId === null ? undefined : touchedTask(record, taskId);
    if (taskId === null || !before) return;
    putTask(record, taskId, { ...before, status: 'queued', waitingFor: null }, { changes, seq });
  },
  'task.completed'(record, event, changes) {
    endTask(record, event, changes, 'artifact' in event.data ? { artifact: event.data.artifact } : {});
    keepArtifact(record, event, changes);
  },
  'task.failed': (record, event, changes) => endTask(record, event, changes, { error: event.data.error }),
  'task.skipped': (record, event, changes) => endTask(record, event, changes, {}),
  'task.cancelled': (record, event, changes) => endTask(record, event, changes, {}),
  'task.compensated': (record, event, changes) => compensateTask(record, event, changes),
  'task.compensation_failed': (record, event, changes) => compensateTask(record, event, changes),
  ...approvalReducers,
  'budget.reserved': () => undefined,
  'budget.settled'(_, { taskId, data: { actual } }, changes) {
    if (taskId !== null) ledgerOf(changes).settled.push({ taskId, actual });
  },
  'budget.exhausted': (record, { data }, changes) => addTo(record.marks, exhaustedMark(data), changes),
  'budget.raised'(record, { data: { approvalId, scope, limit } }, changes) {
    addTo(record.marks, raisedMark(approvalId), changes);
    ledgerOf(changes).raised.push({ scope, limit });
  },
  'artifact.created': keepArtifact,
};

/**
 * Folds an event that is news into the record, in place. The one reducer: the recorder, the rebuild and the SDK's live
 * view all use it. O(1), but for a new plan and the goal's end, which walk the tasks once.
 * @param changes what there is to store, and how to take it back; see `startChanges`
 */
export function reduce(record: GoalRecord, event: GoalEvent, changes: Changes = startChanges(record)): void {
  // The table pairs each type with its own event, which TypeScript cannot follow through the look-up.
  const reducer = reducers[event.type] as (record: GoalRecord, event: GoalEvent, changes: Changes) => void;
  reducer(record, event, changes);
  update(record, { seq: event.seq });
}

/** `GET /v1/goals/{id}` without links; null before the goal is submitted. */
export const goalView = ({ head, state }: GoalRecord): (GoalHead & GoalState) | null => head && { ...head, ...state };
