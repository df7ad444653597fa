import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { GoalRef } from '../../domain/goal-ref.ts';
import { followKeys } from './key-follower.ts';
import { keys } from './keys.ts';

/** No view is answered from memory that Redis has replaced longer ago than this. */
const maxStaleMs = 100;
/** Beside the text: its key, twice, and what the map needs. */
const entryBytes = 300;

/** A goal's view as it is sent. */
export interface HotView {
  readonly seq: number;
  readonly body: string;
}

/**
 * Views in the memory of this process, which cost nobody a question.
 *
 * 1. What Redis replaces is forgotten as soon as Redis tells of it, and within 100 ms even if it cannot tell: while the
 *    connection on which it would is silent, memory is not believed.
 * 2. What is shown past memory makes it forget what is older: who was answered with a `seq` by this process is not answered
 *    with an earlier one.
 */
export interface ViewMemory {
  recall(goal: GoalRef): HotView | null;
  /** Asks Redis by `read`, which fails never, and remembers the answer unless the goal changes meanwhile. */
  refresh(goal: GoalRef, read: () => Promise<HotView | null>): Promise<HotView | null>;
  /** Remembers nothing older than the `seq`; without one nothing. */
  forget(goal: GoalRef, beforeSeq?: number): void;
  close(): void;
}

/** @param redis the connection on which `read` reads the goal's key */
export function createViewMemory(redis: Redis, { maxBytes }: { readonly maxBytes: number }): ViewMemory {
  const views = new LRUCache<string, HotView>({
    maxSize: maxBytes,
    // A character takes two bytes unless all are Latin-1.
    sizeCalculation: ({ body }) => 2 * body.length + entryBytes,
  });
  // The latest read of each goal. A change that is told while one is under way may be later than its answer.
  const reads = new Map<string, symbol>();
  const follower = followKeys(redis, {
    onChanged: drop,
    onLost() {
      views.clear();
      reads.clear();
    },
  });

  function drop(key: string): void {
    views.delete(key);
    reads.delete(key);
  }

  return {
    recall: (goal) => (follower.behindMs() <= maxStaleMs ? (views.get(keys.goal(goal)) ?? null) : null),

    async refresh(goal, read) {
      const key = keys.goal(goal);
      drop(key);
      if (!follower.following) return read();
      const own = Symbol();
      reads.set(key, own);
      const view = await read();
      const isLatest = reads.get(key) === own;
      if (isLatest) reads.delete(key);
      if (isLatest && view) views.set(key, { seq: view.seq, body: flatten(view.body) });
      return view;
    },

    forget(goal, beforeSeq = Infinity) {
      const key = keys.goal(goal);
      // A read under way may have begun before what is known now.
      reads.delete(key);
      if ((views.peek(key)?.seq ?? 0) < beforeSeq) views.delete(key);
    },
    close: () => follower.close(),
  };
}

/** A text that was joined is kept as its parts, each elsewhere in the heap: a read of it costs 0.5 µs less in one piece. */
const flatten = (text: string): string => Buffer.from(text).toString();
