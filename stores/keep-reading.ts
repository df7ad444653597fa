export interface Polled {
  /** Resolves when the first read has ended, whatever came of it. */
  readonly loaded: Promise<void>;
  close(): void;
}

/** Has a process read something again and again, one read after the other: at once, and `everyMs` after each until it is closed. */
export function keepReading(
  read: () => Promise<void>,
  options: {
    readonly everyMs: number;
    /** Told once when reading begins to fail. */
    readonly onAway: (error: unknown) => void;
  },
): Polled {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let away = false;

  async function readOnce(): Promise<void> {
    try {
      await read();
      away = false;
    } catch (error) {
      if (!away && !closed) options.onAway(error);
      away = true;
    }
  }
  function schedule(): void {
    if (!closed) timer = setTimeout(() => void readOnce().then(schedule), options.everyMs).unref();
  }
  const loaded = readOnce();
  void loaded.then(schedule);
  return {
    loaded,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
