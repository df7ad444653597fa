import { CancellationScope, condition } from '@temporalio/workflow';

/** By which a piece of work tells where it stands. */
export interface Stage {
  /** From here on it waits for people, and can be given up and opened again later. */
  pause(): void;
  /** It waits no more; resolves when there is room for it. */
  resume(): Promise<void>;
}

interface Entry {
  readonly scope: CancellationScope;
  readonly children: boolean;
  /** Null: several tasks together. */
  readonly taskId: string | null;
  waits: boolean;
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
   * @param options.waits can be given up and opened again later: waits, approvals; `place` says it when that changes
   * @param options.children may run in child workflows: sub-goals, maps
   * @param options.taskId the task that it is, if it is one
   */
  start(
    work: (stage: Stage) => Promise<void>,
    options: { readonly waits: boolean; readonly children?: boolean; readonly taskId?: string | null },
  ): void;
  /** Resolves when something has landed, or has come to wait, since the last call, or `wakes` says so. @throws what the work threw */
  next(wakes?: () => boolean): Promise<void>;
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

interface Room {
  readonly busy: () => number;
  readonly mostBusy: number;
  readonly setWaits: (waits: boolean) => void;
}

const createStage = ({ busy, mostBusy, setWaits }: Room): Stage => ({
  pause: () => setWaits(true),
  async resume() {
    // Asked again, because whoever was woken before may have taken the room.
    while (busy() >= mostBusy) await condition(() => busy() < mostBusy);
    setWaits(false);
  },
});

/** What is under way, and how much of it waits. */
function createEntries(onWait: () => void) {
  const all = new Set<Entry>();
  let waitCount = 0;
  return {
    all,
    busy: (): number => all.size - waitCount,
    add(entry: Entry): void {
      all.add(entry);
      if (entry.waits) waitCount += 1;
    },
    setWaits(entry: Entry, waits: boolean): void {
      if (entry.waits === waits) return;
      entry.waits = waits;
      waitCount += waits ? 1 : -1;
      if (waits) onWait();
    },
    delete(entry: Entry): void {
      all.delete(entry);
      if (entry.waits) waitCount -= 1;
    },
  };
}

/** @param mostBusy of what has paused resumes no more than makes this many busy */
export function createFlight(mostBusy = Infinity): Flight {
  // Work that is started from within another's is not cancelled with that one.
  const parent = CancellationScope.current();
  const failures: unknown[] = [];
  let changeCount = 0;
  let seenCount = 0;
  const { all: entries, busy, ...under } = createEntries(() => void (changeCount += 1));

  const cancel: Flight['cancel'] = ({ onlyWaits }) => {
    for (const entry of entries) if (entry.waits || !onlyWaits) entry.scope.cancel();
  };
  const landed = (): Promise<void> => CancellationScope.nonCancellable(() => condition(() => entries.size === 0));

  return {
    get size() {
      return entries.size;
    },
    get onlyWaits() {
      return busy() === 0;
    },
    get busy() {
      return busy();
    },
    has: (what) => [...entries].some(filters[what]),
    get taskIds() {
      return [...entries].flatMap(({ taskId }) => taskId ?? []);
    },
    start(work, { waits, children = false, taskId = null }) {
      const entry: Entry = { scope: new CancellationScope({ cancellable: true, parent }), waits, children, taskId };
      under.add(entry);
      const stage = createStage({ busy, mostBusy, setWaits: (now) => under.setWaits(entry, now) });
      void entry.scope
        .run(() => work(stage))
        .catch((error: unknown) => failures.push(error))
        .finally(() => {
          under.delete(entry);
          changeCount += 1;
        });
    },
    async next(wakes = () => false) {
      await condition(() => changeCount > seenCount || wakes());
      seenCount = changeCount;
      throwFirst(failures);
    },
    cancel,
    async end(taskIds) {
      const ended = [...entries].filter(({ taskId }) => taskId !== null && taskIds.has(taskId));
      for (const { scope } of ended) scope.cancel();
      await condition(() => ended.every((entry) => !entries.has(entry)));
    },
    wake: () => void (changeCount += 1),
    landed,
    async suspend() {
      cancel({ onlyWaits: true });
      await landed();
      throwFirst(failures);
    },
  };
}
