import { isFinalTask, type Changes, type GoalRecord } from './goal-record.ts';
import { putApproval, putTask, update } from './goal-writes.ts';
import { approvalId } from './ids.ts';
import type { GoalEvent } from './schemas/event.ts';
import type { GoalStatus, TaskView } from './schemas/goal.ts';

type Event<T extends GoalEvent['type']> = Extract<GoalEvent, { type: T }>;
type WaitingFor = NonNullable<TaskView['waitingFor']>;

export function pauseGoal(record: GoalRecord, { data, at }: Event<'goal.paused'>): void {
  update(record, { status: 'paused', pause: { ...data, since: record.state.pause?.since ?? at } });
}

/** Deadlines that waited with the goal are later by as much. */
export function resumeGoal(record: GoalRecord, { at, seq }: Event<'goal.resumed'>, changes: Changes): void {
  const { pause } = record.state;
  update(record, { status: statusOf(record), pause: undefined });
  if (pause?.shiftDeadlines) shiftDeadlines(record, Date.parse(at) - Date.parse(pause.since), { changes, seq });
}

/** What the goal would be if it were not paused. */
function statusOf({ head, outline, approvals, state }: GoalRecord): GoalStatus {
  if (state.waitingFor) return 'accepted';
  if (!head || !outline) return 'planning';
  return approvals.get(approvalId(head.id, null))?.status === 'pending' ? 'awaiting_approval' : 'running';
}

const later = (time: string, byMs: number): string => new Date(Date.parse(time) + byMs).toISOString();

/** A retry is due when it is due: it is no deadline. */
const hasDeadline = (waitingFor: WaitingFor | null): waitingFor is WaitingFor & { readonly until: string } =>
  typeof waitingFor?.until === 'string' && waitingFor.kind !== 'retry';

function shiftDeadlines(
  record: GoalRecord,
  byMs: number,
  { changes, seq }: { readonly changes: Changes; readonly seq: number },
): void {
  for (const [taskId, task] of record.tasks) {
    const { waitingFor, status } = task;
    if (isFinalTask(status) || !hasDeadline(waitingFor)) continue;
    const shifted = { ...waitingFor, until: later(waitingFor.until, byMs) };
    putTask(record, taskId, { ...task, waitingFor: shifted }, { changes, seq });
  }
  for (const approval of record.approvals.values()) {
    if (approval.status !== 'pending' || approval.expiresAt === null) continue;
    putApproval(record, { ...approval, expiresAt: later(approval.expiresAt, byMs) }, changes);
  }
}
