import { isDeadLetter, isFinalGoal, isFinalTask, outlineOfTask, touchedTask, type GoalRecord } from './goal-record.ts';
import { parseTaskId } from './ids.ts';
import { runOf } from './plan-outline.ts';
import { isSamePause } from './same-pause.ts';
import type { EventDraft, EventType } from './schemas/event.ts';
import type { TaskStatus, WaitingFor } from './schemas/goal.ts';

type Draft<T extends EventType> = Extract<EventDraft, { type: T }>;
type IsNews = {
  readonly [T in EventType]: (record: GoalRecord, draft: Draft<T>, revision: number) => boolean;
};

/** Is the task in the plan, and not ended, nor the map it is an item of? */
function isOpen(record: GoalRecord, taskId: string | null): taskId is string {
  if (taskId === null || !outlineOfTask(record, taskId)) return false;
  const map = record.tasks.get(parseTaskId(taskId).id);
  const state = touchedTask(record, taskId);
  return !(map && isFinalTask(map.status)) && !(state && isFinalTask(state.status));
}

const endsTask = (record: GoalRecord, { taskId }: EventDraft): boolean => isOpen(record, taskId);

/**
 * Is nothing recorded of the task's compensation? Whether it is in the plan and has run is not asked: a record that is behind
 * would say no, and what is no news is not compared with the store. Who compensates has asked the store.
 */
function isUncompensated(record: GoalRecord, { taskId }: EventDraft): boolean {
  if (taskId === null) return false;
  const { cancelReceipt, compensationError, map = null } = touchedTask(record, taskId) ?? {};
  return cancelReceipt !== 'compensated' && compensationError === undefined && map?.compensated === undefined;
}

const betweenAttempts: ReadonlySet<TaskStatus> = new Set(['retrying', 'queued', 'parked']);

/** Of a task that goes on: its attempts that follow have been told of already when this one has ended. */
function endsAttempt(record: GoalRecord, { taskId, attempt }: EventDraft): boolean {
  if (!isOpen(record, taskId)) return false;
  const state = touchedTask(record, taskId);
  if (!state || attempt > state.attempt) return true;
  // What is queued has failed that attempt, and its next one is put off.
  return attempt === state.attempt && !betweenAttempts.has(state.status);
}

/** A failure that an older attempt tells of, which was thought lost, is not the last one. */
function parksTask(record: GoalRecord, { taskId, attempt, data: { reason } }: Draft<'task.parked'>): boolean {
  if (!isOpen(record, taskId)) return false;
  const state = touchedTask(record, taskId);
  return !state || (state.status !== 'parked' && (reason !== 'failed' || attempt >= state.attempt));
}

/** Of a task that is parked for its failure only a later attempt tells news: whoever parked it has taken the others for lost. */
function completesTask(record: GoalRecord, { taskId, attempt }: EventDraft): boolean {
  if (!isOpen(record, taskId)) return false;
  const state = touchedTask(record, taskId);
  return !state || !isDeadLetter(state) || attempt > state.attempt;
}

const isPending = (record: GoalRecord, approvalId: string): boolean =>
  record.approvals.get(approvalId)?.status === 'pending';

const isSameWait = (before: WaitingFor | null, now: WaitingFor): boolean =>
  before?.kind === now.kind && before.detail === now.detail && before.until === now.until;

export const planDecisionMark = (revision: number): string => `plan.decided:${revision}`;

/** A change of the plan was not made. */
export const refusalMark = (changeId: string): string => `plan.refused:${changeId}`;

export const changeMark = (changeId: string): string => `plan.changed:${changeId}`;

/** What has ended stays as it ended, save for failures: those are what plans are changed for. */
const isSettledWell = (record: GoalRecord, taskId: string): boolean => {
  const status = record.tasks.get(taskId)?.status;
  return status === 'completed' || status === 'skipped';
};

const followsPlan = (record: GoalRecord, { data }: Draft<'plan.amended' | 'goal.retried'>): boolean =>
  data.outline.revision === (record.outline?.revision ?? 0) + 1;

export const exhaustedMark = ({ scope, unit, limit }: Draft<'budget.exhausted'>['data']): string =>
  `budget.exhausted:${scope}:${unit}:${limit}`;
export const raisedMark = (approvalId: string): string => `budget.raised:${approvalId}`;

const decidesPlan = (record: GoalRecord, { data }: Draft<'plan.approved' | 'plan.rejected'>): boolean =>
  record.outline?.revision === data.revision && !record.marks.has(planDecisionMark(data.revision));

const isUndecided = ({ marks }: GoalRecord, changeId: string): boolean =>
  !marks.has(changeMark(changeId)) && !marks.has(refusalMark(changeId));

const news: IsNews = {
  'goal.submitted': (record) => record.head === null,
  'goal.context_assembled': (record) => !record.marks.has('goal.context_assembled'),
  'goal.waiting': ({ state, outline }, { data }) =>
    outline === null && state.status !== 'cancelling' && !isSameWait(state.waitingFor, data.waitingFor),
  'goal.released': ({ state }) => state.waitingFor !== null,
  'goal.paused': ({ state: { status, pause } }, { data }) =>
    status !== 'cancelling' && !(pause && isSamePause(pause, data)),
  'goal.resumed': (record) => record.state.status === 'paused',
  'goal.queued': ({ state }, { data }) =>
    state.status !== 'cancelling' && !isSameWait(state.waitingFor, data.waitingFor),
  'goal.admitted': ({ state }) => state.waitingFor !== null,
  'goal.cancelling': (record) => record.state.status !== 'cancelling',
  // Of the plan as it is now: one that was completed by an older plan has more to do.
  'goal.completed': (record, _, revision) => revision >= (record.outline?.revision ?? 1),
  'goal.failed': () => true,
  'goal.cancelled': () => true,
  'plan.proposed': (record, { data }) => data.outline.revision > (record.outline?.revision ?? 0),
  'plan.amended': (record, draft) =>
    followsPlan(record, draft) &&
    record.state.status !== 'cancelling' &&
    ![...draft.data.removed, ...draft.data.replaced].some((id) => isSettledWell(record, id)),
  'goal.retried': (record, draft) => followsPlan(record, draft) && draft.data.run === record.state.run + 1,
  'plan.approved': decidesPlan,
  'plan.rejected': (record, draft) =>
    draft.data.changeId === undefined ? decidesPlan(record, draft) : isUndecided(record, draft.data.changeId),
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
  'task.retrying': endsAttempt,
  'task.parked': parksTask,
  'task.unparked': (record, { taskId }) => isOpen(record, taskId) && touchedTask(record, taskId)?.status === 'parked',
  'task.completed': completesTask,
  'task.failed': endsTask,
  'task.skipped': endsTask,
  'task.cancelled': endsTask,
  'task.compensated': isUncompensated,
  'task.compensation_failed': isUncompensated,
  'approval.requested'(record, { taskId, data }) {
    return !record.approvals.has(data.approvalId) && (taskId === null || isOpen(record, taskId));
  },
  'approval.decided': (record, { data }) =>
    isPending(record, data.approvalId) &&
    !record.approvals.get(data.approvalId)?.votes.some(({ subject }) => subject === data.subject),
  'approval.delegated': (record, { data }) =>
    isPending(record, data.approvalId) &&
    !record.approvals.get(data.approvalId)?.delegations.some(({ from }) => from === data.subject),
  'approval.expired': (record, { data }) => isPending(record, data.approvalId),
  'budget.reserved': endsTask,
  'budget.settled': endsAttempt,
  'budget.exhausted': (record, { data }) => !record.marks.has(exhaustedMark(data)),
  'budget.raised': (record, { data }) => !record.marks.has(raisedMark(data.approvalId)),
  'artifact.created': (record, { data }) => !record.artifacts.has(data.artifact.id),
};

/** A goal is compensated by the one above it that was cancelled, which may be after its own end. */
const followsEnd: ReadonlySet<EventType> = new Set<EventType>([
  'goal.retried',
  'task.compensated',
  'task.compensation_failed',
]);

/**
 * Does the draft say what the record does not hold yet? A goal is submitted first and once, and nothing follows its end
 * but a retry, and that its tasks are compensated.
 * A task's first final event decides. An attempt begins once, an artifact and an approval are made once, a subject
 * votes once and never after the decision. What is about a task that the plan does not have is no news, nor what is about
 * one that has begun anew since.
 * @param options.revision of the plan by which the draft was made; the current one unless given
 */
export function isNews(
  record: GoalRecord,
  draft: EventDraft,
  { revision = Infinity }: { readonly revision?: number } = {},
): boolean {
  if (record.head === null && draft.type !== 'goal.submitted') return false;
  const isFinal = isFinalGoal(record.state.status);
  if (isFinal ? !followsEnd.has(draft.type) : draft.type === 'goal.retried') return false;
  const task = outlineOfTask(record, draft.taskId);
  // What a call has cost is paid, also when it begins anew or is not in the plan any more.
  const isGone = !task || runOf(task) > revision;
  if (isGone && draft.type === 'budget.settled') return true;
  if (task && isGone) return false;
  // The table pairs each type with its own draft, which TypeScript cannot follow through the look-up.
  const isNewsOfType = news[draft.type] as (record: GoalRecord, draft: EventDraft, revision: number) => boolean;
  return isNewsOfType(record, draft, revision);
}
