import { changeMark, planDecisionMark, refusalMark } from './goal-news.ts';
import { indexOutline, noProgress, type Changes, type GoalRecord } from './goal-record.ts';
import type { Reducers } from './goal-view.ts';
import { addTo, keepTasks, putApproval, unlessStopped, update } from './goal-writes.ts';
import { runOf } from './plan-outline.ts';
import type { Approval } from './schemas/approval.ts';
import type { GoalEvent } from './schemas/event.ts';

type PlanReducers = Pick<Reducers, Extract<keyof Reducers, `plan.${string}`>>;
type Event<T extends GoalEvent['type']> = Extract<GoalEvent, { type: T }>;

/** A plan and its revisions, folded into the record. */
export const planReducers: PlanReducers = {
  'plan.proposed'(record, { data: { outline }, at, seq }, changes) {
    record.outline = outline;
    record.outlineOf = indexOutline(outline);
    changes.plan = outline;
    const total = outline.tasks.length;
    const { revision, source } = outline;
    update(record, {
      status: unlessStopped(record, 'running'),
      startedAt: record.state.startedAt ?? at,
      plan: { revision, source, taskCount: total },
      progress: { ...noProgress, total, waiting: total },
    });
    keepTasks(record, { changes, seq }, (id) => record.outlineOf.has(id));
  },
  'plan.amended'(record, event, changes) {
    const { outline, approvalId, failedTask } = event.data;
    amend(record, event, changes);
    settleChange(record, approvalId, { changes, outcome: { revision: outline.revision, error: null } });
    countReplan(record, failedTask);
  },
  'plan.approved'(record, { data, at }, changes) {
    addTo(record.marks, planDecisionMark(data.revision), changes);
    update(record, { status: unlessStopped(record, 'running'), startedAt: record.state.startedAt ?? at });
  },
  'plan.rejected'(record, { data }, changes) {
    const { revision, changeId, approvalId, failedTask, error = null } = data;
    addTo(record.marks, changeId === undefined ? planDecisionMark(revision) : refusalMark(changeId), changes);
    settleChange(record, approvalId, { changes, outcome: { revision: null, error } });
    countReplan(record, failedTask);
  },
};

/** Tasks that begin anew, and those that are gone, are forgotten; what their events told is in the events. */
export function amend(
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

/** What came of a change that people were asked about. */
function settleChange(
  record: GoalRecord,
  approvalId: string | undefined,
  {
    changes,
    outcome,
  }: {
    readonly changes: Changes;
    readonly outcome: Pick<NonNullable<Approval['change']>, 'revision' | 'error'>;
  },
): void {
  const approval = approvalId === undefined ? undefined : record.approvals.get(approvalId);
  if (approval?.change) putApproval(record, { ...approval, change: { ...approval.change, ...outcome } }, changes);
}

function countReplan(record: GoalRecord, failedTask: string | undefined): void {
  const { replans } = record.state;
  if (failedTask !== undefined && replans) update(record, { replans: { ...replans, used: replans.used + 1 } });
}
