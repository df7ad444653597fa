import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Watchdog {
  /** Resolves once the guard's pipe holds the notice: from then on the child and its group die with the launcher. */
  addChild(child: ChildProcess, stop: { signal: NodeJS.Signals; graceMs: number }): Promise<void>;
  close(): void;
}

/** Runs `guard.mjs`, which ends the processes it was told of when this one is gone, and runs it anew should it die. */
export function createWatchdog(): Watchdog {
  const watched = new Map<number, string>();
  let closed = false;
  let guard = startGuard();

  function startGuard(): ChildProcess {
    const script = fileURLToPath(new URL('guard.mjs', import.meta.url));
    // Detached: a Ctrl-C or a hang-up of the terminal must not reach it. Its grace for a process is shorter than an
    // orderly stop's, because nobody is waiting for answers any more.
    const child = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'], env: {} });
    child.stdin.on('error', () => undefined);
    child.once('exit', () => {
      if (closed) return;
      guard = startGuard();
      for (const line of watched.values()) void write(line);
    });
    child.unref();
    return child;
  }

  function write(line: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const pipe = guard.stdin;
      if (pipe === null) reject(new Error('The guard process has no standard input.'));
      else pipe.write(line, (error) => (error ? reject(error) : resolve()));
    });
  }

  function remove(pid: number): void {
    watched.delete(pid);
    void write(`- ${pid}\n`).catch(() => undefined);
  }

  return {
    addChild(child, stop) {
      const { pid } = child;
      if (pid === undefined) return Promise.resolve();
      child.once('exit', () => remove(pid));
      const line = `+ ${pid} ${stop.signal} ${Math.min(stop.graceMs, 5000)}\n`;
      watched.set(pid, line);
      // A guard that has just died is being replaced, and its successor is told of everything in `watched`.
      return write(line).catch(() => undefined);
    },
    close() {
      closed = true;
      guard.stdin?.end();
    },
  };
}
