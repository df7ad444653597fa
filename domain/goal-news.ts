import { isFinalGoal, isFinalTask, outlineOfTask, touchedTask, type GoalRecord } from './goal-record.ts';
import { parseTaskId } from './ids.ts';
import type { EventDraft, EventType } from './schemas/event.ts';
import type { WaitingFor } from './schemas/goal.ts';

type Draft<T extends EventType> = Extract<EventDraft, { type: T }>;
type IsNews = { readonly [T in EventType]: (record: GoalRecord, draft: Draft<T>) => boolean };

/** Is the task in the plan, and not ended, nor the map it is an item of? */
function isOpen(record: GoalRecord, taskId: string | null): taskId is string {
  if (taskId === null || !outlineOfTask(record, taskId)) return false;
  const map = record.tasks.get(parseTaskId(taskId).id);
  const state = touchedTask(record, taskId);
  return !(map && isFinalTask(map.status)) && !(state && isFinalTask(state.status));
}

const endsTask = (record: GoalRecord, { taskId }: EventDraft): boolean => isOpen(record, taskId);

const isSameWait = (known: WaitingFor | null | undefined, { kind, detail, until }: WaitingFor): boolean =>
  known?.kind === kind && known.detail === detail && known.until === until;

const isPending = (record: GoalRecord, approvalId: string): boolean =>
  record.approvals.get(approvalId)?.status === 'pending';

export const planDecisionMark = (revision: number): string => `plan.decided:${revision}`;

const decidesPlan = (record: GoalRecord, { data }: Draft<'plan.approved' | 'plan.rejected'>): boolean =>
  record.outline?.revision === data.revision && !record.marks.has(planDecisionMark(data.revision));

const news: IsNews = {
  'goal.submitted': (record) => record.head === null,
  'goal.context_assembled': (record) => !record.marks.has('goal.context_assembled'),
  'goal.queued': (record, { data }) => !isSameWait(record.state.waitingFor, data.waitingFor),
  'goal.admitted': ({ state }) => Boolean(state.waitingFor),
  'goal.cancelling': (record) => record.state.status !== 'cancelling',
  'goal.completed': () => true,
  'goal.failed': () => true,
  'goal.cancelled': () => true,
  'plan.proposed': (record, { data }) => data.outline.revision > (record.outline?.revision ?? 0),
  'plan.approved': decidesPlan,
  'plan.rejected': decidesPlan,
  'task.queued'(record, { taskId, attempt, data }) {
    if (!isOpen(record, taskId)) return false;
    const state = touchedTask(record, taskId);
    return !state || (attempt > state.attempt && !isSameWait(state.waitingFor, data.waitingFor));
  },
  'task.started'(record, { taskId, attempt }) {
    if (!isOpen(record, taskId)) return false;
    const state = touchedTask(record, taskId);
    return !state || attempt > state.attempt;
  },
  'task.retrying'(record, { taskId, attempt }) {
    if (!isOpen(record, taskId)) return false;
    const state = touchedTask(record, taskId);
    if (!state || attempt > state.attempt) return true;
    // What is queued has failed that attempt, and its next one is put off.
    return attempt === state.attempt && state.status !== 'retrying' && state.status !== 'queued';
  },
  'task.completed': endsTask,
  'task.failed': endsTask,
  'task.skipped': endsTask,
  'task.cancelled': endsTask,
  'approval.requested'(record, { taskId, data }) {
    return !record.approvals.has(data.approvalId) && (taskId === null || isOpen(record, taskId));
  },
  'approval.decided': (record, { data }) =>
    isPending(record, data.approvalId) &&
    !record.approvals.get(data.approvalId)?.votes.some(({ subject }) => subject === data.subject),
  'approval.expired': (record, { data }) => isPending(record, data.approvalId),
  'artifact.created': (record, { data }) => !record.artifacts.has(data.artifact.id),
};

/**
 * Does the draft say what the record does not hold yet? A goal is submitted first and once, and nothing follows its end.
 * A task's first final event decides. An attempt begins once, an artifact and an approval are made once, a subject
 * votes once and never after the decision. What is about a task that the plan does not have is no news.
 */
export function isNews(record: GoalRecord, draft: EventDraft): boolean {
  if (record.head === null && draft.type !== 'goal.submitted') return false;
  if (isFinalGoal(record.state.status)) return false;
  // The table pairs each type with its own draft, which TypeScript cannot follow through the look-up.
  const isNewsOfType = news[draft.type] as (record: GoalRecord, draft: EventDraft) => boolean;
  return isNewsOfType(record, draft);
}
