import { planDecisionMark } from './goal-news.ts';
import {
  indexOutline,
  startChanges,
  touchedTask,
  untouchedTask,
  type Changes,
  type GoalRecord,
} from './goal-record.ts';
import {
  addTo,
  count,
  endGoal,
  endTask,
  keepArtifact,
  putApproval,
  putTask,
  unlessCancelling,
  update,
} from './goal-writes.ts';
import type { Approval } from './schemas/approval.ts';
import type { EventType, GoalEvent, Output } from './schemas/event.ts';
import type { GoalHead, GoalState } from './schemas/goal.ts';

export { isNews } from './goal-news.ts';
export { acceptedState, emptyRecord } from './goal-record.ts';
export type { GoalRecord } from './goal-record.ts';
export { graphView } from './graph-view.ts';

type Event<T extends EventType> = Extract<GoalEvent, { type: T }>;
type Reducers = { readonly [T in EventType]: (record: GoalRecord, event: Event<T>, changes: Changes) => void };

const outputOf = (data: Output): Pick<GoalState, 'output' | 'outputArtifact'> =>
  'artifact' in data ? { output: null, outputArtifact: data.artifact } : { output: data.output, outputArtifact: null };

const reducers: Reducers = {
  'goal.submitted'(record, { data }) {
    record.head = data.head;
    update(record, { status: 'planning' });
  },
  'goal.context_assembled': (record, { type }, changes) => addTo(record.marks, type, changes),
  'goal.queued': (record, { data }) =>
    update(record, {
      status: unlessCancelling(record, 'accepted'),
      startedAt: record.tasks.size === 0 ? null : record.state.startedAt,
      waitingFor: data.waitingFor,
    }),
  'goal.admitted': (record, { at }) =>
    update(record, {
      status: unlessCancelling(record, record.outline ? 'running' : 'planning'),
      startedAt: record.state.startedAt ?? (record.outline ? at : null),
      waitingFor: null,
    }),
  'goal.cancelling': (record) => update(record, { status: 'cancelling' }),
  'goal.completed'(record, event, changes) {
    endGoal(record, event, changes);
    keepArtifact(record, event, changes);
    update(record, outputOf(event.data));
  },
  'goal.failed'(record, event, changes) {
    endGoal(record, event, changes);
    update(record, { error: event.data.error });
  },
  'goal.cancelled': endGoal,
  'plan.proposed'(record, { data: { outline }, at }, changes) {
    record.outline = outline;
    record.outlineOf = indexOutline(outline);
    changes.plan = outline;
    const total = outline.tasks.length;
    const { revision, source } = outline;
    const progress = { total, completed: 0, running: 0, failed: 0, skipped: 0, waiting: total };
    update(record, {
      status: unlessCancelling(record, 'running'),
      startedAt: record.state.startedAt ?? at,
      plan: { revision, source, taskCount: total },
      progress,
    });
    for (const [id, task] of record.tasks) {
      if (record.outlineOf.has(id)) {
        count(record, 'pending', task.status);
        continue;
      }
      changes.undo.push(() => record.tasks.set(id, task));
      record.tasks.delete(id);
    }
  },
  'plan.approved'(record, { data, at }, changes) {
    addTo(record.marks, planDecisionMark(data.revision), changes);
    update(record, { status: unlessCancelling(record, 'running'), startedAt: record.state.startedAt ?? at });
  },
  'plan.rejected': (record, { data }, changes) => addTo(record.marks, planDecisionMark(data.revision), changes),
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
  'task.completed'(record, event, changes) {
    endTask(record, event, changes, 'artifact' in event.data ? { artifact: event.data.artifact } : {});
    keepArtifact(record, event, changes);
  },
  'task.failed': (record, event, changes) => endTask(record, event, changes, { error: event.data.error }),
  'task.skipped': (record, event, changes) => endTask(record, event, changes, {}),
  'task.cancelled': (record, event, changes) => endTask(record, event, changes, {}),
  'approval.requested'(record, { goalId, taskId, attempt, at, seq, data }, changes) {
    const { approvalId, ...asked } = data;
    const approval: Approval = {
      ...asked,
      id: approvalId,
      goalId,
      taskId,
      status: 'pending',
      votes: [],
      requestedAt: at,
    };
    putApproval(record, approval, changes);
    if (taskId === null) {
      const startedAt = record.tasks.size === 0 ? null : record.state.startedAt;
      return update(record, { status: unlessCancelling(record, 'awaiting_approval'), startedAt });
    }
    const before = touchedTask(record, taskId) ?? { ...untouchedTask, attempt, startedAt: at };
    const waitingFor = { kind: 'approval', detail: approvalId, until: data.expiresAt } as const;
    putTask(record, taskId, { ...before, status: 'awaiting_approval', waitingFor }, { changes, seq });
  },
  'approval.decided'(record, { at, seq, data: { approvalId, subject, decision, comment, status } }, changes) {
    const approval = record.approvals.get(approvalId);
    if (!approval) return;
    const votes = [...approval.votes, { subject, decision, comment, at }];
    putApproval(record, { ...approval, votes, status }, changes);
    const task = approval.taskId === null ? undefined : record.tasks.get(approval.taskId);
    if (status === 'pending' || approval.taskId === null || task?.status !== 'awaiting_approval') return;
    putTask(record, approval.taskId, { ...task, status: 'running', waitingFor: null }, { changes, seq });
  },
  'approval.expired'(record, { data }, changes) {
    const approval = record.approvals.get(data.approvalId);
    if (approval) putApproval(record, { ...approval, status: 'expired' }, changes);
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
