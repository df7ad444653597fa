import { AstraError } from '../../domain/errors.ts';
import type { EventDraft } from '../../domain/schemas/event.ts';
import type { PreparedPlan, RecordedPlan, RecordedSubmission } from '../../stores/goal-write.ts';
import type { GoalEntry } from './goal-memory.ts';

/** A draft ready to be stored. */
export interface PreparedDraft {
  readonly draft: EventDraft;
  readonly dataJson: string;
  /** Of the plan by which it was made. */
  readonly revision: number;
}

/** Drafts of one goal that wait for a commit. */
export interface RecordRequest {
  readonly entry: GoalEntry;
  readonly drafts: readonly PreparedDraft[];
  /** Only noted: left out when the task it is about ends in the same commit. */
  readonly lazy: boolean;
  readonly plan: PreparedPlan | undefined;
  readonly submission: RecordedSubmission | undefined;
  readonly sizeBytes: number;
  /** How often it lost against another process. */
  losses: number;
  /** All of it is in the record, and readers see it. */
  resolve(): void;
  reject(error: AstraError): void;
}

/** @throws ASTRA_INTERNAL when the time is none: Postgres would refuse the commit, and with it other drafts */
export function prepareDraft(draft: EventDraft, revision: number): PreparedDraft {
  const time = new Date(draft.at);
  if (Number.isNaN(time.getTime()))
    throw new AstraError('ASTRA_INTERNAL', `A draft of ${draft.type} has no valid time.`);
  // As it will be read back, so that a fold of the stored events is what memory holds.
  return { draft: { ...draft, at: time.toISOString() }, dataJson: JSON.stringify(draft.data), revision };
}

export const preparePlan = (plan: RecordedPlan): PreparedPlan => ({
  recorded: plan,
  planJson: JSON.stringify(plan.plan),
  paramsJson: JSON.stringify(plan.params),
});

export function createRequest(
  entry: GoalEntry,
  drafts: readonly PreparedDraft[],
  options: Partial<Omit<RecordRequest, 'entry' | 'drafts' | 'sizeBytes' | 'losses'>>,
): RecordRequest {
  const { plan } = options;
  return {
    lazy: false,
    plan,
    submission: undefined,
    resolve: () => undefined,
    reject: () => undefined,
    ...options,
    entry,
    drafts,
    losses: 0,
    sizeBytes: drafts.reduce((sum, { dataJson }) => sum + dataJson.length, plan?.planJson.length ?? 0),
  };
}

const finalTypes: ReadonlySet<EventDraft['type']> = new Set([
  'task.completed',
  'task.failed',
  'task.skipped',
  'task.cancelled',
]);

/** The tasks and items that the drafts end. */
export const endedTasks = (drafts: readonly PreparedDraft[]): string[] =>
  drafts.flatMap(({ draft }) => (finalTypes.has(draft.type) && draft.taskId !== null ? [draft.taskId] : []));
