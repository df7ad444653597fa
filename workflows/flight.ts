import { CancellationScope, condition } from '@temporalio/workflow';

interface Entry {
  readonly scope: CancellationScope;
  readonly waits: boolean;
  readonly children: boolean;
  /** Null: several tasks together. */
  readonly taskId: string | null;
}

/** What a goal has under way at once. */
export interface Flight {
  readonly size: number;
  /** Without what waits for people, times or events. */
  readonly busy: number;
  /** Is nothing under way but what waits for people, times or events? */
  readonly onlyWaits: boolean;
  /** Is something under way that may run in child workflows? Are several tasks, in a segment or an activity that they share? */
  has(what: 'children' | 'shared'): boolean;
  /** Tasks that are under way by themselves. */
  readonly taskIds: readonly string[];
  /**
   * @param options.waits can be given up and opened again later: waits, approvals
   * @param options.children may run in child workflows: sub-goals, maps
   * @param options.taskId the task that it is, if it is one
   */
  start(
    work: () => Promise<void>,
    options: { readonly waits: boolean; readonly children?: boolean; readonly taskId?: string | null },
  ): void;
  /** Resolves when something has landed since the last call. @throws what the work threw */
  next(): Promise<void>;
  cancel(options: { readonly onlyWaits: boolean }): void;
  /** Ends tasks that are under way by themselves. Resolves when they have landed. */
  end(taskIds: ReadonlySet<string>): Promise<void>;
  /** Has `next` resolve, as if something had landed. */
  wake(): void;
  /** Resolves when all has landed, whatever came of it. */
  landed(): Promise<void>;
  /** Gives up what waits. Resolves when all has landed. @throws what the work threw */
  suspend(): Promise<void>;
}

const filters: Readonly<Record<Parameters<Flight['has']>[0], (entry: Entry) => boolean>> = {
  children: ({ children }) => children,
  shared: ({ taskId, waits }) => taskId === null && !waits,
};

function throwFirst(failures: readonly unknown[]): void {
  if (failures.length > 0) throw failures[0];
}

export function createFlight(): Flight {
  const entries = new Set<Entry>();
  const failures: unknown[] = [];
  let landedCount = 0;
  let seenCount = 0;
  let waitCount = 0;

  const cancel: Flight['cancel'] = ({ onlyWaits }) => {
    for (const entry of entries) if (entry.waits || !onlyWaits) entry.scope.cancel();
  };
  const landed = (): Promise<void> => CancellationScope.nonCancellable(() => condition(() => entries.size === 0));

  return {
    get size() {
      return entries.size;
    },
    get onlyWaits() {
      return waitCount === entries.size;
    },
    get busy() {
      return entries.size - waitCount;
    },
    has: (what) => [...entries].some(filters[what]),
    get taskIds() {
      return [...entries].flatMap(({ taskId }) => taskId ?? []);
    },
    start(work, { waits, children = false, taskId = null }) {
      const entry: Entry = { scope: new CancellationScope(), waits, children, taskId };
      entries.add(entry);
      if (waits) waitCount += 1;
      void entry.scope
        .run(work)
        .catch((error: unknown) => failures.push(error))
        .finally(() => {
          entries.delete(entry);
          if (waits) waitCount -= 1;
          landedCount += 1;
        });
    },
    async next() {
      await condition(() => landedCount > seenCount);
      seenCount = landedCount;
      throwFirst(failures);
    },
    cancel,
    async end(taskIds) {
      const ended = [...entries].filter(({ taskId }) => taskId !== null && taskIds.has(taskId));
      for (const { scope } of ended) scope.cancel();
      await condition(() => ended.every((entry) => !entries.has(entry)));
    },
    wake: () => void (landedCount += 1),
    landed,
    async suspend() {
      cancel({ onlyWaits: true });
      await landed();
      throwFirst(failures);
    },
  };
}
