import type { Pool } from 'pg';
import { AstraError } from '../../domain/errors.ts';
import { settledTask, type TaskState, type GoalRecord } from '../../domain/goal-record.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import type { ApprovalView } from '../../domain/schemas/approval.ts';
import type { Artifact } from '../../domain/schemas/artifact.ts';
import type { EventDraft, Output } from '../../domain/schemas/event.ts';
import type { GoalHead, GoalState, GoalStatus } from '../../domain/schemas/goal.ts';
import type { Logger } from '../../platform/logger.ts';
import type { ViewCache } from '../../stores/cache/view-cache.ts';
import { standingOf, type GoalStanding } from '../../stores/goal-standing.ts';
import type { RecordedPlan, RecordedSubmission } from '../../stores/goal-write.ts';
import { createApprovalStore } from '../../stores/postgres/approvals.ts';
import { loadGoal } from '../../stores/postgres/load-goal.ts';
import { readArtifacts, readState, readTasks } from '../../stores/postgres/read-goal.ts';
import type { TaskOutcome } from '../contract.ts';
import { createCommitQueue, type CommitQueue } from './commit-queue.ts';
import { createCommitter, notRecorded } from './committer.ts';
import { tellDurations, type OnDuration } from './completed-durations.ts';
import type { FindDeliveries } from './fold.ts';
import { createGoalMemory, type GoalEntry, type GoalMemory } from './goal-memory.ts';
import { createNotes } from './notes.ts';
import { createRequest, prepareDraft, preparePlan, type PreparedDraft, type RecordRequest } from './record-request.ts';
import { givenUp, isSuperseded, orUnavailable, outcomesOf, pickSettled, readOutcomes } from './recorded-outcomes.ts';
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
  /** How the goal's tasks stand, and its plan; null: nothing is recorded of it. Reads the store. */
  standing(goal: GoalRef): Promise<GoalStanding | null>;
  /** What the goal's tasks have written, outputs that were too large to travel included. Reads the store. */
  artifacts(goal: GoalRef): Promise<readonly { readonly artifact: Artifact; readonly taskId: string | null }[]>;
  /** Null: no event has touched the task. */
  task(goal: GoalRef, taskId: string): Promise<TaskState | null>;
  approval(goal: GoalRef, approvalId: string): Promise<ApprovalView | null>;
  /** Is the event that happens once recorded, as far as this process knows? */
  isMarked(goal: GoalRef, mark: string): Promise<boolean>;
  /** These goals, by `goalKey`, were deleted: what memory holds of them is not believed any more. */
  forget(isGone: (key: string) => boolean): void;
  /** Grows with each `forget`: what is derived of the record may be wrong then. */
  readonly forgotten: number;
  /** Records what waits. Nothing may be recorded afterwards. */
  close(): Promise<void>;
}

export interface RecorderDeps {
  readonly pool: Pool;
  readonly viewCache: ViewCache;
  readonly logger: Pick<Logger, 'error'>;
  /** None unless given. */
  readonly findDeliveries?: FindDeliveries;
  /** Called after each commit of a goal, with what it wrote. */
  readonly onCommitted?: (committed: { readonly events: number; readonly deliveries: number }) => void;
  /** Called after the commit of a goal's end that other goals wait for. */
  readonly onAwaitedEnd?: (goal: GoalRef) => void;
  /** Called after the commit of each task's completion. */
  readonly onDuration?: OnDuration;
  /** For what is kept of the record: half of it for goals, a quarter each for plans and outputs. 256 MiB unless given. */
  readonly memoryBytes?: number;
}

export function createRecorder({
  pool,
  viewCache,
  logger,
  findDeliveries = () => [],
  onCommitted,
  onAwaitedEnd = () => undefined,
  onDuration,
  memoryBytes = 256 * 1024 * 1024,
}: RecorderDeps): Recorder {
  const memory = createGoalMemory(pool, { maxBytes: memoryBytes / 2 });
  const values = createRecordedValues(pool, { maxBytes: memoryBytes / 4 });
  const commit = createCommitter({
    pool,
    memory,
    viewCache,
    logger,
    findDeliveries,
    onCommitted(write, record) {
      values.remember(write);
      if (onDuration) tellDurations(write, record, onDuration);
      onCommitted?.({ events: write.events.length, deliveries: write.deliveries.length });
    },
    onAwaitedEnd,
  });
  // Not a copy of the reads: one of them is a property that changes.
  return Object.assign(createReads(pool, memory, values), createWriter(memory, createCommitQueue(commit)));
}

const planTypes = ['plan.proposed', 'plan.amended', 'goal.retried'] as const;

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
      const prepared = drafts.map((each) => prepareDraft(each, revisionOf(goal)));
      const types = new Set(drafts.map(({ type }) => type));
      if (planTypes.some((type) => types.has(type)) && !plan)
        throw new AstraError('ASTRA_INTERNAL', 'A plan was proposed without it.');
      const entry = types.has('goal.submitted') ? memory.openNew(goal) : await openKnown(memory, goal);
      await enqueue(entry, prepared, { plan: plan && preparePlan(plan), submission });
      return { outcomes: outcomesOf(entry, goal, prepared), status: entry.record.state.status };
    },
    note(goal, draft) {
      if (closed) return;
      try {
        notes.add(goal, prepareDraft(draft, revisionOf(goal)));
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
  let forgotten = 0;

  async function outcomes(goal: GoalRef, taskIds: readonly string[]): Promise<Record<string, TaskOutcome>> {
    const entry = revisionOf(goal) === 1 ? memory.peek(goal) : await memory.openRevision(goal);
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
      // What has begun anew since is no longer the caller's.
      return isSuperseded(entry.record, goal, taskId) ? givenUp : settledTask(entry.record, taskId);
    },
    outcomes,
    outputs: (goal, taskIds) => orUnavailable(values.outputs(goal, taskIds)),
    itemOutputs: (goal, mapId, items) => orUnavailable(values.itemOutputs(goal, mapId, items)),
    async plan(goal) {
      const plan = await orUnavailable(values.plan(goal));
      if (!plan) throw new AstraError('ASTRA_NOT_FOUND', `No plan is recorded of goal ${goal.goalId}.`);
      return plan;
    },
    readyAt: (goal, taskId) => readyAt(memory.peek(goal)?.record, taskId),
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
    async standing(goal) {
      const record = await orUnavailable(loadGoal(pool, goal));
      return record && standingOf(record);
    },
    artifacts: (goal) => orUnavailable(readArtifacts(pool, goal)),
    task: async (goal, taskId) => (await orUnavailable(readTasks(pool, goal, [taskId])))[0]?.state ?? null,
    approval: (goal, approvalId) => orUnavailable(approvals.get(goal.tenant, approvalId)),
    forget(isGone) {
      forgotten += 1;
      memory.forget(isGone);
      values.forget(isGone);
    },
    get forgotten() {
      return forgotten;
    },
    isMarked: async (goal, mark) => (await openKnown(memory, goal)).record.marks.has(mark),
  };
}

function readyAt(record: GoalRecord | undefined, taskId: string): string | null {
  const after = record?.outlineOf.get(taskId)?.after;
  if (!record || !after) return null;
  const ends = after.map((id) => record.tasks.get(id)?.finishedAt ?? null);
  if (ends.includes(null)) return null;
  // Times of one form are in the order of their text.
  return ends.length === 0 ? record.state.startedAt : (ends.toSorted().at(-1) ?? null);
}

async function openKnown(memory: GoalMemory, goal: GoalRef): Promise<GoalEntry> {
  const entry = await memory.openRevision(goal);
  if (!entry) throw notRecorded(goal);
  return entry;
}
