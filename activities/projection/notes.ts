import type { GoalRef } from '../../domain/goal-ref.ts';
import { goalKey } from '../../stores/goal-write.ts';
import type { PreparedDraft } from './record-request.ts';

const maxDelayMs = 50;
/** Of all goals; notes are dispensable. */
const maxNotes = 10_000;

export interface NotedGoal {
  readonly goal: GoalRef;
  readonly drafts: readonly PreparedDraft[];
}

/** Drafts that wait for their goal's next commit, but not for long. */
export interface Notes {
  add(goal: GoalRef, note: PreparedDraft): void;
  /** Takes the goal's notes, to go into a commit with what comes after them. */
  take(goal: GoalRef): readonly PreparedDraft[];
  /** Hands all over to `onDue` at once. */
  flush(): Promise<void>;
}

/** @param onDue is given what no commit has taken in time */
export function createNotes(onDue: (noted: NotedGoal) => Promise<void>): Notes {
  const waiting = new Map<string, { readonly goal: GoalRef; readonly drafts: PreparedDraft[] }>();
  let timer: NodeJS.Timeout | undefined;
  let noteCount = 0;

  async function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const due = [...waiting.values()];
    waiting.clear();
    noteCount = 0;
    // Notes are dispensable, and what else is recorded of the goal meets the same fault.
    await Promise.allSettled(due.map(onDue));
  }

  return {
    add(goal, note) {
      if (noteCount >= maxNotes) return;
      noteCount += 1;
      const key = goalKey(goal);
      const noted = waiting.get(key) ?? { goal, drafts: [] };
      noted.drafts.push(note);
      waiting.set(key, noted);
      timer ??= setTimeout(() => void flush(), maxDelayMs);
    },
    take(goal) {
      const drafts = waiting.get(goalKey(goal))?.drafts ?? [];
      waiting.delete(goalKey(goal));
      noteCount -= drafts.length;
      return drafts;
    },
    flush,
  };
}
