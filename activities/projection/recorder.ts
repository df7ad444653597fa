import type { Pool } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import {
  emptyRecord,
  settledTask,
  type GoalRecord,
  type SettledTask,
  type TaskState,
} from '../../domain/goal-record.ts';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { parseTaskId } from '../../domain/ids.ts';
import type { Approval } from '../../domain/schemas/approval.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { GoalHead, GoalState, GoalStatus } from '../../domain/schemas/goal.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ViewCache } from '../../stores/cache/view-cache.ts';
import type { RecordedPlan, RecordedSubmission } from '../../stores/goal-write.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { postgresError } from '../../stores/postgres/postgres-error.ts';
import { readState, readStatuses, readTasks } from '../../stores/postgres/read-goal.ts';
import type { TaskOutcome } from '../contract.ts';
import { createCommitQueue, type CommitQueue } from './commit-queue.ts';
import { createCommitter, notRecorded } from './committer.ts';
import { createGoalMemory, type GoalEntry, type GoalMemory } from './goal-memory.ts';
import { createNotes } from './notes.ts';
import {
  createRequest,
  endedTasks,
  prepareDraft,
  preparePlan,
  type PreparedDraft,
  type RecordRequest,
} from './record-request.ts';
import { createRecordedValues, type RecordedValues } from './recorded-values.ts';

export type { RecordedPlan, RecordedSubmission };

/**
 * The record of goals: what happened is written here before anybody is told, and the record decides.
 * Everything but `note` rejects with ASTRA_UNAVAILABLE when Postgres does not answer, and then nothing is recorded;
 * with ASTRA_NOT_FOUND when nothing is recorded of the goal.
 */
export interface Recorder {
  /**
   * Records what is news of the drafts, in order: durable, then in the cache, then it resolves. Answers with the
   * recorded outcome of each task that a draft ends, which is an earlier record's where there is one, and with the
   * goal's status.
   * @param options.plan belongs to the draft of `plan.proposed`, `submission` to that of `goal.submitted`
   */
  record(
    goal: GoalRef,
    drafts: readonly EventDraft[],
    options?: { readonly plan?: RecordedPlan; readonly submission?: RecordedSubmission },
  ): Promise<{ readonly outcomes: Record<string, TaskOutcome>; readonly status: GoalStatus }>;
  /** Joins the goal's next commit, at the latest after 50 ms; dropped when the task ends first, or is lost. Never throws. */
  note(goal: GoalRef, draft: EventDraft): void;
  /**
   * Null: not recorded, by whichever process, when this was asked. With `firstAttempt` memory is believed, which costs no
   * query: nobody else can have ended the task.
   */
  outcome(goal: GoalRef, taskId: string, options?: { readonly firstAttempt?: boolean }): Promise<TaskOutcome | null>;
  /** Those that are recorded. */
  outcomes(goal: GoalRef, taskIds: readonly string[]): Promise<Record<string, TaskOutcome>>;
  /** Null for a task that ended without output, or has not ended. */
  outputs(goal: GoalRef, taskIds: readonly string[]): Promise<Record<string, Output | null>>;
  /** Of the items 0 … `items`-1 of a map, in order. */
  itemOutputs(goal: GoalRef, mapId: string, items: number): Promise<readonly (Output | null)[]>;
  plan(goal: GoalRef): Promise<RecordedPlan>;
  /**
   * When the last of a task's dependencies ended, or, for one without any, the goal began: RFC 3339. Null for an item of a map, which waits
   * for its turn, and when this process does not know.
   */
  readyAt(goal: GoalRef, taskId: string): string | null;
  head(goal: GoalRef): Promise<GoalHead>;
  /** As recorded when this was asked: is the goal being cancelled, has it ended? */
  state(goal: GoalRef): Promise<GoalState>;
  /** Null: no event has touched the task. */
  task(goal: GoalRef, taskId: string): Promise<TaskState | null>;
  approval(goal: GoalRef, approvalId: string): Promise<Approval | null>;
  /** Is the event that happens once recorded, as far as this process knows? */
  isMarked(goal: GoalRef, mark: string): Promise<boolean>;
  /** Records what waits. Nothing may be recorded afterwards. */
  close(): Promise<void>;
}

export interface RecorderDeps {
  readonly pool: Pool;
  readonly viewCache: ViewCache;
  readonly logger: Pick<Logger, 'error'>;
  /** Called after each commit of a goal, for metrics. */
  readonly onCommitted?: (committed: { readonly events: number }) => void;
  /** For what is kept of the record: half of it for goals, a quarter each for plans and outputs. 256 MiB unless given. */
  readonly memoryBytes?: number;
}

export function createRecorder({
  pool,
  viewCache,
  logger,
  onCommitted,
  memoryBytes = 256 * 1024 * 1024,
}: RecorderDeps): Recorder {
  const memory = createGoalMemory(pool, { maxBytes: memoryBytes / 2 });
  const values = createRecordedValues(pool, { maxBytes: memoryBytes / 4 });
  const commit = createCommitter({
    pool,
    memory,
    viewCache,
    logger,
    onCommitted(write) {
      values.remember(write);
      onCommitted?.({ events: write.events.length });
    },
  });
  return { ...createWriter(memory, createCommitQueue(commit)), ...createReads(pool, memory, values) };
}

type Writes = 'record' | 'note' | 'close';

function createWriter(memory: GoalMemory, queue: CommitQueue): Pick<Recorder, Writes> {
  let closed = false;
  const notes = createNotes(async ({ goal, drafts }) => {
    const entry = queue.isBusy ? null : await memory.open(goal);
    if (entry) await enqueue(entry, drafts, { lazy: true });
  });

  function enqueue(
    entry: GoalEntry,
    drafts: readonly PreparedDraft[],
    options: Partial<Pick<RecordRequest, 'lazy' | 'plan' | 'submission'>>,
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const request = createRequest(entry, drafts, { ...options, resolve: () => resolve(undefined), reject });
    const noted = notes.take(entry.goal);
    queue.push(noted.length > 0 ? [createRequest(entry, noted, { lazy: true }), request] : [request]);
    return promise;
  }

  return {
    async record(goal, drafts, { plan, submission } = {}) {
      if (closed) throw new AstraError('ASTRA_UNAVAILABLE', 'The worker is shutting down. Try again.');
      const prepared = drafts.map(prepareDraft);
      const types = new Set(drafts.map(({ type }) => type));
      if (types.has('plan.proposed') && !plan)
        throw new AstraError('ASTRA_INTERNAL', 'A plan was proposed without it.');
      const entry = types.has('goal.submitted') ? memory.openNew(goal) : await openKnown(memory, goal);
      await enqueue(entry, prepared, { plan: plan && preparePlan(plan), submission });
      return { outcomes: outcomesOf(entry, prepared), status: entry.record.state.status };
    },
    note(goal, draft) {
      if (closed) return;
      try {
        notes.add(goal, prepareDraft(draft));
      } catch {
        // What cannot be recorded is lost, as a note may be.
      }
    },
    async close() {
      closed = true;
      await notes.flush();
      await queue.drained();
    },
  };
}

function createReads(pool: Pool, memory: GoalMemory, values: RecordedValues): Omit<Recorder, Writes> {
  const approvals = createApprovalStore(pool);

  async function outcomes(goal: GoalRef, taskIds: readonly string[]): Promise<Record<string, TaskOutcome>> {
    const entry = memory.peek(goal);
    while (entry?.committing) await entry.committing;
    const known = entry ? pickSettled(entry.record, taskIds) : {};
    const unknown = taskIds.filter((id) => !known[id]);
    // Another process may have recorded them, and moved the goal thereby.
    const knownSeq = entry?.record.state.seq ?? 0;
    return unknown.length > 0 ? { ...known, ...(await readOutcomes(pool, goal, unknown, { knownSeq })) } : known;
  }

  return {
    async outcome(goal, taskId, { firstAttempt = false } = {}) {
      if (!firstAttempt) return (await outcomes(goal, [taskId]))[taskId] ?? null;
      const entry = await openKnown(memory, goal);
      while (entry.committing) await entry.committing;
      return settledTask(entry.record, taskId);
    },
    outcomes,
    outputs: (goal, taskIds) => orUnavailable(values.outputs(goal, taskIds)),
    itemOutputs: (goal, mapId, items) => orUnavailable(values.itemOutputs(goal, mapId, items)),
    async plan(goal) {
      const plan = await orUnavailable(values.plan(goal));
      if (!plan) throw new AstraError('ASTRA_NOT_FOUND', `No plan is recorded of goal ${goal.goalId}.`);
      return plan;
    },
    readyAt(goal, taskId) {
      const record = memory.peek(goal)?.record;
      const after = record?.outlineOf.get(taskId)?.after;
      if (!record || !after) return null;
      const ends = after.map((id) => record.tasks.get(id)?.finishedAt ?? null);
      if (ends.includes(null)) return null;
      // Times of one form are in the order of their text.
      return ends.length === 0 ? record.state.startedAt : (ends.toSorted().at(-1) ?? null);
    },
    async head(goal) {
      const { record } = await openKnown(memory, goal);
      // A recorded goal has been submitted.
      return record.head as GoalHead;
    },
    async state(goal) {
      const state = await orUnavailable(readState(pool, goal));
      if (!state) throw notRecorded(goal);
      return state;
    },
    task: async (goal, taskId) => (await orUnavailable(readTasks(pool, goal, [taskId])))[0]?.state ?? null,
    approval: (goal, approvalId) => orUnavailable(approvals.get(goal.tenant, approvalId)),
    isMarked: async (goal, mark) => (await openKnown(memory, goal)).record.marks.has(mark),
  };
}

async function openKnown(memory: GoalMemory, goal: GoalRef): Promise<GoalEntry> {
  const entry = await memory.open(goal);
  if (!entry) throw notRecorded(goal);
  return entry;
}

async function orUnavailable<T>(query: Promise<T>): Promise<T> {
  try {
    return await query;
  } catch (error) {
    throw postgresError(error);
  }
}

/** @throws ASTRA_INTERNAL when a draft ends a task that the plan does not have */
function outcomesOf({ record }: GoalEntry, drafts: readonly PreparedDraft[]): Record<string, TaskOutcome> {
  const ended = endedTasks(drafts);
  const outcomes = pickSettled(record, ended);
  const strange = ended.find((id) => !outcomes[id]);
  if (strange !== undefined) throw new AstraError('ASTRA_INTERNAL', `The plan has no task "${strange}".`);
  return outcomes;
}

async function readOutcomes(
  pool: Pool,
  goal: GoalRef,
  taskIds: readonly string[],
  options: { readonly knownSeq: number },
): Promise<Record<string, TaskOutcome>> {
  // Of an item, the end of its map decides too.
  const ids = [...new Set(taskIds.flatMap((id) => [id, parseTaskId(id).id]))];
  const statuses = await orUnavailable(readStatuses(pool, goal, ids, options));
  if (!statuses) return {};
  const record = emptyRecord();
  record.state = { ...record.state, status: statuses.goal };
  for (const [id, state] of statuses.tasks) (id.includes('.') ? record.items : record.tasks).set(id, state);
  return pickSettled(record, taskIds);
}

/** Of the tasks, those that have ended. */
const pickSettled = (record: GoalRecord, taskIds: readonly string[]): Record<string, SettledTask> =>
  Object.fromEntries(
    taskIds.flatMap((id) => {
      const outcome = settledTask(record, id);
      return outcome ? [[id, outcome]] : [];
    }),
  );
