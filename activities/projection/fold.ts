import { AstraError } from '../../domain/errors.ts';
import { rollback, startChanges, type Changes } from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { isNews, reduce } from '../../domain/goal-view.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { GoalHead } from '../../domain/schemas/goal.ts';
import { goalWrite, type DeliveryWrite, type GoalWrite } from '../../stores/goal-write.ts';
import type { GoalEntry } from './goal-memory.ts';
import { endedTasks, type RecordRequest } from './record-request.ts';

/** All requests of one goal in one commit, folded into the goal in memory. */
export interface Fold {
  readonly entry: GoalEntry;
  readonly requests: readonly RecordRequest[];
  readonly changes: Changes;
  /** Null: nothing is news. */
  readonly write: GoalWrite | null;
}

/** What is to be sent of a goal's new events, and whereto. */
export type FindDeliveries = (
  goal: GoalRef,
  news: { readonly head: GoalHead | null; readonly events: GoalWrite['events'] },
) => readonly DeliveryWrite[];

/** @throws ASTRA_INTERNAL when a draft cannot be folded; then the goal is as it was */
export function fold(
  entry: GoalEntry,
  requests: readonly RecordRequest[],
  { findDeliveries }: { readonly findDeliveries: FindDeliveries },
): Fold {
  const changes = startChanges(entry.record);
  try {
    return { entry, requests, changes, write: foldNews(entry, requests, { changes, findDeliveries }) };
  } catch (cause) {
    rollback(changes);
    const message = 'What was to be recorded is not valid. The worker log has the details.';
    throw new AstraError('ASTRA_INTERNAL', message, { cause });
  }
}

function foldNews(
  { record, goal }: GoalEntry,
  requests: readonly RecordRequest[],
  { changes, findDeliveries }: { readonly changes: Changes; readonly findDeliveries: FindDeliveries },
): GoalWrite | null {
  const baseSeq = record.state.seq;
  const ended = new Set(requests.flatMap(({ lazy, drafts }) => (lazy ? [] : endedTasks(drafts))));
  const events: GoalWrite['events'][number][] = [];
  for (const { drafts, lazy } of requests) {
    for (const { draft, dataJson, revision } of drafts) {
      if ((lazy && isOvertaken(draft, ended)) || !isNews(record, draft, { revision })) continue;
      const event = { ...draft, goalId: goal.goalId, seq: record.state.seq + 1 };
      reduce(record, event, changes);
      events.push({ event, dataJson });
    }
  }
  if (events.length === 0) return null;
  const plan = requests.find((request) => request.plan)?.plan;
  const submission = requests.find((request) => request.submission)?.submission;
  const deliveries = findDeliveries(goal, { head: record.head, events });
  return goalWrite(goal, { record, changes, baseSeq, events }, { plan, submission, deliveries });
}

/** A noted start tells nothing that the end does not tell too, but for a map: how many items it has. */
const isOvertaken = ({ type, taskId, data }: EventDraft, ended: ReadonlySet<string>): boolean =>
  type === 'task.started' && taskId !== null && ended.has(taskId) && !('items' in data);
