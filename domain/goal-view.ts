import { changeMark, exhaustedMark, planDecisionMark, raisedMark } from './goal-news.ts';
import { approvalReducers } from './approvals/approval-reducers.ts';
import {
  indexOutline,
  noProgress,
  startChanges,
  touchedTask,
  untouchedTask,
  type Changes,
  type GoalRecord,
} from './goal-record.ts';
import {
  addTo,
  compensateTask,
  endGoal,
  endTask,
  keepArtifact,
  keepTasks,
  ledgerOf,
  parkTask,
  putTask,
  unlessCancelling,
  update,
} from './goal-writes.ts';
import { runOf } from './plan-outline.ts';
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

/** Tasks that begin anew, and those that are gone, are forgotten; what their events told is in the events. */
function amend(
  record: GoalRecord,
  { data: { outline, changeId }, seq }: Event<'plan.amended' | 'goal.retried'>,
  changes: Changes,
): void {
  const { outlineOf: before } = record;
  addTo(record.marks, changeMark(changeId), changes);
  const { revision, source } = outline;
  const total = outline.tasks.length;
  record.outline = outline;
  record.outlineOf = indexOutline(outline);
  changes.plan = outline;
  update(record, { plan: { revision, source, taskCount: total }, progress: { ...noProgress, total, waiting: total } });
  keepTasks(record, { changes, seq }, (id) => {
    const [old, now] = [before.get(id), record.outlineOf.get(id)];
    return old !== undefined && now !== undefined && runOf(old) === runOf(now);
  });
}

const reducers: Reducers = {
  'goal.submitted'(record, { data }) {
    record.head = data.head;
    update(record, { status: 'planning' });
  },
  'goal.context_assembled': (record, { type }, changes) => addTo(record.marks, type, changes),
  'goal.waiting': (record, { data: { waitingFor } }) => update(record, { status: 'accepted', waitingFor }),
  'goal.released': (record) => update(record, { status: 'planning', waitingFor: null }),
  'goal.cancelling': (record) => update(record, { status: 'cancelling', waitingFor: null }),
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
  'plan.proposed'(record, { data: { outline }, at, seq }, changes) {
    record.outline = outline;
    record.outlineOf = indexOutline(outline);
    changes.plan = outline;
    const total = outline.tasks.length;
    const { revision, source } = outline;
    update(record, {
      status: unlessCancelling(record, 'running'),
      startedAt: record.state.startedAt ?? at,
      plan: { revision, source, taskCount: total },
      progress: { ...noProgress, total, waiting: total },
    });
    keepTasks(record, { changes, seq }, (id) => record.outlineOf.has(id));
  },
  'plan.amended': amend,
  'goal.retried'(record, event, changes) {
    const { run } = event.data;
    update(record, { run, status: 'running', output: null, outputArtifact: null, error: null, finishedAt: null });
    amend(record, event, changes);
  },
  'plan.approved'(record, { data, at }, changes) {
    addTo(record.marks, planDecisionMark(data.revision), changes);
    update(record, { status: unlessCancelling(record, 'running'), startedAt: record.state.startedAt ?? at });
  },
  'plan.rejected': (record, { data }, changes) => addTo(record.marks, planDecisionMark(data.revision), changes),
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
