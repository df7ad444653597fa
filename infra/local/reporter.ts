export interface Reporter {
  line(text: string): void;
  /** Runs a step and prints a line when it is done; while a slow one runs, a line says so. */
  step<T>(title: string, run: () => Promise<T>, describe?: (result: T) => string): Promise<T>;
}

export const silentReporter: Reporter = { line: () => undefined, step: (_title, run) => run() };

const slowAfterMs = 2000;
/** Of a terminal that does not know its size, and says 0 or nothing. */
const fallbackColumns = 80;

/** Progress as lines; on a terminal, one more line at the bottom shows what is being waited for and how long already. */
export function createReporter(stream: NodeJS.WriteStream, interrupted?: AbortSignal): Reporter {
  const running = new Map<symbol, { title: string; startedAt: number; told: boolean }>();
  let ticker: NodeJS.Timeout | undefined;
  const clearStatus = stream.isTTY ? '\r\u001b[K' : '';

  function line(text: string): void {
    stream.write(`${clearStatus}${text}\n`);
  }

  function tick(): void {
    const now = Date.now();
    if (stream.isTTY) {
      const status = [...running.values()]
        .map((step) => `${step.title} ${seconds(now - step.startedAt, 0)}`)
        .join(' · ');
      stream.write(`${clearStatus}  … ${status.slice(0, (stream.columns || fallbackColumns) - 6)}`);
      return;
    }
    for (const step of running.values()) {
      if (step.told || now - step.startedAt < slowAfterMs) continue;
      step.told = true;
      line(`  … ${step.title}`);
    }
  }

  return {
    line,
    async step(title, run, describe) {
      const key = Symbol(title);
      const startedAt = Date.now();
      running.set(key, { title, startedAt, told: false });
      ticker ??= setInterval(tick, stream.isTTY ? 200 : 500);
      try {
        const result = await run();
        const detail = describe?.(result) ?? '';
        line(`  ✓ ${title.padEnd(12)} ${detail}${detail === '' ? '' : '  '}${seconds(Date.now() - startedAt, 1)}`);
        return result;
      } catch (error) {
        // What was stopped half-way is not at fault.
        line(interrupted?.aborted ? `  – ${title.padEnd(12)} interrupted` : `  ✗ ${title}`);
        throw error;
      } finally {
        running.delete(key);
        if (running.size === 0) {
          clearInterval(ticker);
          ticker = undefined;
          stream.write(clearStatus);
        }
      }
    },
  };
}

function seconds(milliseconds: number, digits: number): string {
  return `${(milliseconds / 1000).toFixed(digits)} s`;
}
