import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { emptyRecord, type GoalRecord } from '../../domain/goal-record.ts';
import { revisionOf, type GoalRef } from '../../domain/goal-ref.ts';
import { reduce } from '../../domain/goal-view.ts';
import { goalKey } from '../../stores/goal-write.ts';
import { loadGoal } from '../../stores/postgres/load-goal.ts';
import { postgresError } from '../../stores/postgres/postgres-error.ts';
import { readEvents } from '../../stores/postgres/read-goal.ts';

/** A goal in memory: as it was recorded when this process last read or recorded it. */
export interface GoalEntry {
  readonly goal: GoalRef;
  record: GoalRecord;
  readonly headBytes: number;
  /** Set while `record` is ahead of Postgres; resolves once it is not. */
  committing: Promise<void> | null;
}

export interface GoalMemory {
  peek(goal: GoalRef): GoalEntry | undefined;
  /** From memory, else from Postgres; null when nothing is recorded. @throws ASTRA_UNAVAILABLE */
  open(goal: GoalRef): Promise<GoalEntry | null>;
  /** From memory, else taken to be new, which costs no query; the commit finds out whether it is. */
  openNew(goal: GoalRef): GoalEntry;
  /** The goal with this revision of its plan at least, which another process may have recorded. @throws ASTRA_UNAVAILABLE */
  openRevision(goal: GoalRef): Promise<GoalEntry | null>;
  /** Tells that the entry has grown, or is in use again. */
  keep(entry: GoalEntry): void;
  /** Folds in what other processes have recorded. False when the goal is not recorded at all. @throws what pg throws */
  catchUp(entry: GoalEntry): Promise<boolean>;
  /** Reads these goals, by `goalKey`, again. */
  forget(isGone: (key: string) => boolean): void;
}

/** With more missed events than these, the rows are read instead. */
const maxMissedEvents = 500;

/** Goals by their key, as far as the memory reaches or somebody holds them. */
function createEntries(maxBytes: number) {
  const entries = new LRUCache<string, GoalEntry>({ maxSize: maxBytes });
  // An entry that is evicted while a commit uses it is found again: one goal must not have two.
  const alive = new Map<string, WeakRef<GoalEntry>>();
  const forgotten = new FinalizationRegistry<string>((key) => {
    if (alive.get(key)?.deref() === undefined) alive.delete(key);
  });
  const keep = (entry: GoalEntry): void => {
    entries.set(goalKey(entry.goal), entry, { size: sizeBytes(entry) });
  };
  return {
    keep,
    peek: (goal: GoalRef): GoalEntry | undefined => entries.get(goalKey(goal)) ?? alive.get(goalKey(goal))?.deref(),
    add(goal: GoalRef, record: GoalRecord): GoalEntry {
      const headBytes = JSON.stringify(record.head).length;
      const entry: GoalEntry = { goal, record, headBytes, committing: null };
      alive.set(goalKey(goal), new WeakRef(entry));
      forgotten.register(entry, goalKey(goal));
      keep(entry);
      return entry;
    },
    // An entry that a commit uses at this moment is used up by it, like another process's.
    forget(isGone: (key: string) => boolean): void {
      for (const key of [...alive.keys()].filter(isGone)) for (const kept of [entries, alive]) kept.delete(key);
    },
  };
}

export function createGoalMemory(pool: Pool, options: { readonly maxBytes: number }): GoalMemory {
  const { peek, add, keep, forget } = createEntries(options.maxBytes);
  const loading = new Map<string, Promise<GoalEntry | null>>();
  const loadRecord = (goal: GoalRef): Promise<GoalRecord | null> =>
    loadGoal(pool, goal).catch((error: unknown) => {
      throw postgresError(error);
    });

  async function load(goal: GoalRef): Promise<GoalEntry | null> {
    const record = await loadRecord(goal);
    if (!record) return null;
    const known = peek(goal);
    if (!known) return add(goal, record);
    while (known.committing) await known.committing;
    // It was taken to be new.
    if (known.record.state.seq === 0) known.record = record;
    return known;
  }

  async function open(goal: GoalRef): Promise<GoalEntry | null> {
    const key = goalKey(goal);
    const known = peek(goal);
    // A goal taken to be new may not be.
    if (known && known.record.state.seq > 0) return known;
    const started = loading.get(key) ?? load(goal).finally(() => loading.delete(key));
    loading.set(key, started);
    return started;
  }

  return {
    peek,
    open,
    async openRevision(goal) {
      const entry = await open(goal);
      if (!entry || (entry.record.outline?.revision ?? 1) >= revisionOf(goal)) return entry;
      const record = await loadRecord(goal);
      while (entry.committing) await entry.committing;
      if (record && record.state.seq > entry.record.state.seq) entry.record = record;
      return entry;
    },
    openNew: (goal) => peek(goal) ?? add(goal, emptyRecord()),
    keep,
    async catchUp(entry) {
      const { record, goal } = entry;
      const afterSeq = record.state.seq;
      const missed = afterSeq === 0 ? [] : await readEvents(pool, goal, { afterSeq, limit: maxMissedEvents });
      if (missed.length > 0 && missed.length < maxMissedEvents) {
        for (const event of missed) reduce(record, event);
        return true;
      }
      const loaded = await loadGoal(pool, goal);
      if (loaded) entry.record = loaded;
      return loaded !== null;
    },
    forget,
  };
}

/** Roughly, without walking it: the point is that no number of goals or tasks exhausts the memory. */
function sizeBytes({ record, headBytes }: GoalEntry): number {
  const { outlineOf, tasks, items, approvals, artifacts } = record;
  const small = outlineOf.size + tasks.size + approvals.size;
  return 2_000 + headBytes + 400 * small + 100 * (items.size + artifacts.size);
}
