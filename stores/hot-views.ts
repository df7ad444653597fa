import type { GoalRef } from '../domain/goal-ref.ts';
import type { ViewCache } from './cache/view-cache.ts';
import type { HotView, ViewMemory } from './cache/view-memory.ts';
import { viewJson } from './goal-snapshot.ts';

/** Views of goals as they are sent, for those who ask many thousand times a second. Never throws, never asks Postgres. */
export interface HotViews {
  /** As it was at most 100 ms ago, from memory and at once; null: it is not there, or not certain. */
  recall(goal: GoalRef): HotView | null;
  /** As Redis has it, for `recall` to know; null: it has none. */
  read(goal: GoalRef): Promise<HotView | null>;
  /** What is read next is at this `seq` or later; without one, has what was just done to the goal. */
  forget(goal: GoalRef, beforeSeq?: number): void;
}

export function createHotViews(deps: {
  readonly viewCache: ViewCache;
  /** On the connection of `viewCache`; undefined: every view is asked for. */
  readonly memory: ViewMemory | undefined;
  /** Makes of a view what is sent. */
  readonly render: (viewJson: string, goalId: GoalRef['goalId']) => string;
  /** Called for each view read, for metrics. */
  readonly onQuery: (source: 'memory' | 'redis') => void;
}): HotViews {
  const { viewCache, memory, render, onQuery } = deps;

  async function fromRedis(goal: GoalRef): Promise<HotView | null> {
    onQuery('redis');
    const found = await viewCache.view(goal);
    return found && { seq: found.seq, body: render(viewJson(found), goal.goalId) };
  }

  return {
    recall(goal) {
      // Memory follows Redis, and is right as long as Redis is.
      const view = memory && viewCache.trusted ? memory.recall(goal) : null;
      if (view) onQuery('memory');
      return view;
    },
    read: (goal) => (memory ? memory.refresh(goal, () => fromRedis(goal)) : fromRedis(goal)),
    forget: (goal, beforeSeq) => memory?.forget(goal, beforeSeq),
  };
}
