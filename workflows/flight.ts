import { CancellationScope, condition } from '@temporalio/workflow';

/** What a work may say of itself while it is under way. */
export interface FlightPlace {
  /** Can it be given up now and begun again later? */
  waits: boolean;
}

interface Entry {
  readonly scope: CancellationScope;
  readonly place: FlightPlace;
  readonly children: boolean;
}

/** What a goal has under way at once. */
export interface Flight {
  readonly size: number;
  /** Without what waits for people, times or events. */
  readonly busy: number;
  /** Is nothing under way but what waits for people, times or events? */
  readonly onlyWaits: boolean;
  /** Is something under way that may run in child workflows? */
  readonly hasChildren: boolean;
  /**
   * @param options.waits can be given up and opened again later: waits, approvals; `place` says it when that changes
   * @param options.children may run in child workflows: sub-goals, maps
   */
  start(
    work: (place: FlightPlace) => Promise<void>,
    options: { readonly waits: boolean; readonly children?: boolean },
  ): void;
  /** Resolves when something has landed since the last call, or `wakes` says so. @throws what the work threw */
  next(wakes?: () => boolean): Promise<void>;
  cancel(options: { readonly onlyWaits: boolean }): void;
  /** Resolves when all has landed, whatever came of it. */
  landed(): Promise<void>;
  /** Gives up what waits. Resolves when all has landed. @throws what the work threw */
  suspend(): Promise<void>;
}

export function createFlight(): Flight {
  const entries = new Set<Entry>();
  const failures: unknown[] = [];
  let landedCount = 0;
  let seenCount = 0;
  let waitCount = 0;

  const cancel: Flight['cancel'] = ({ onlyWaits }) => {
    for (const entry of entries) if (entry.place.waits || !onlyWaits) entry.scope.cancel();
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
    get hasChildren() {
      return [...entries].some((entry) => entry.children);
    },
    start(work, { waits, children = false }) {
      const place = createPlace(waits, (change) => (waitCount += change));
      const entry: Entry = { scope: new CancellationScope(), place, children };
      entries.add(entry);
      void entry.scope
        .run(() => work(place))
        .catch((error: unknown) => failures.push(error))
        .finally(() => {
          entries.delete(entry);
          place.waits = false;
          landedCount += 1;
        });
    },
    async next(wakes = () => false) {
      await condition(() => landedCount > seenCount || wakes());
      seenCount = landedCount;
      if (failures.length > 0) throw failures[0];
    },
    cancel,
    landed,
    async suspend() {
      cancel({ onlyWaits: true });
      await landed();
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** Counted as it changes: a goal has hundreds of them under way, and is asked after each step. */
function createPlace(waits: boolean, onChange: (change: 1 | -1) => void): FlightPlace {
  let current = waits;
  if (waits) onChange(1);
  return {
    get waits() {
      return current;
    },
    set waits(next) {
      if (next !== current) onChange(next ? 1 : -1);
      current = next;
    },
  };
}
