import type { Logger } from '../platform/logger.ts';
import type { GoalRef } from '../domain/goal-ref.ts';
import { goalKey } from './goal-write.ts';
import type { SeenTasks, TaskDurationStore } from './postgres/task-durations.ts';

/** Sooner than a deletion looks again for what was written behind its back. */
const flushMs = 2_000;

/** How long tasks took, as this process sees it. */
export interface DurationLog {
  /** At once, and costs no query. */
  add(tenant: string, taskType: string, seconds: number): void;
  /** Drops what was not added yet of tenants that were deleted. */
  forget(isGone: (key: string) => boolean): void;
  close(): Promise<void>;
}

interface Sums {
  tasks: number;
  seconds: number;
}

/**
 * Gathers in memory, and adds to the store every two seconds. What cannot be added is lost: it is a sample, and the next one
 * is as good.
 */
export function createDurationLog(
  store: Pick<TaskDurationStore, 'add'>,
  options: { readonly logger: Pick<Logger, 'warn'> },
): DurationLog {
  let seen = new Map<string, Map<string, Sums>>();
  let away = false;
  let flushing = Promise.resolve();

  async function flush(): Promise<void> {
    if (seen.size === 0) return;
    const rows = [...seen].flatMap(([tenant, types]) =>
      [...types].map(([taskType, sums]): SeenTasks => ({ tenant, taskType, ...sums })),
    );
    seen = new Map();
    try {
      await store.add(rows);
      away = false;
    } catch (error) {
      if (!away) options.logger.warn({ err: error }, 'how long tasks took cannot be stored');
      away = true;
    }
  }
  const timer = setInterval(() => {
    flushing = flushing.then(flush);
  }, flushMs).unref();

  return {
    add(tenant, taskType, seconds) {
      const types = seen.get(tenant) ?? new Map<string, Sums>();
      seen.set(tenant, types);
      const sums = types.get(taskType);
      if (!sums) {
        types.set(taskType, { tasks: 1, seconds });
        return;
      }
      sums.tasks += 1;
      sums.seconds += seconds;
    },
    forget(isGone) {
      // As a goal's key without the goal.
      for (const tenant of seen.keys()) if (isGone(goalKey({ tenant, goalId: '' } as GoalRef))) seen.delete(tenant);
    },
    async close() {
      clearInterval(timer);
      await flushing.then(flush);
    },
  };
}
