import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from './component.ts';
import { logTail, openLog } from './log-tail.ts';
import { signalProcess, spawnGuarded } from './spawn-guarded.ts';
import { waitUntil } from './wait-until.ts';
import type { Watchdog } from './watchdog.ts';

/** One life of a component's process. */
export interface ComponentRun {
  readonly pid: number;
  /** Resolves, never rejects, with an error that tells how it ended and its last log lines. */
  readonly ended: Promise<Error>;
  /** What `ended` gives, once it has. */
  exit(): Error | null;
  /** It was killed, as opposed to having ended by itself. */
  wasKilled(): boolean;
  /** Resolves when the component answers and is provisioned; rejects when it ends before. */
  ready(): Promise<void>;
  /** Asks it to end, and kills its group when it has not after its grace. */
  end(): Promise<void>;
}

const readyTimeoutMs = 60_000;

export async function runComponent(component: Component, watchdog: Watchdog, logFile: string): Promise<ComponentRun> {
  const log = openLog(logFile);
  const { child, pid } = await spawnGuarded(component.command, watchdog, { output: log, stop: component.stop });
  closeSync(log);
  let exit: Error | null = null;
  const ended = new Promise<Error>((resolve) => {
    const onExit = (): void => {
      const how = child.signalCode ?? `code ${child.exitCode}`;
      exit = new Error(`${component.name} ended with ${how}. The end of ${logFile}:\n${logTail(logFile)}`);
      // What the dead process had started must not outlive it, nor hold its port.
      signalProcess(-pid, 'SIGKILL');
      component.cleanUp?.();
      resolve(exit);
    };
    if (child.exitCode === null && child.signalCode === null) child.once('exit', onExit);
    else onExit();
  });
  return {
    pid,
    ended,
    exit: () => exit,
    wasKilled: () => child.signalCode === 'SIGKILL',
    async ready() {
      await waitUntil(() => component.probe(), { timeoutMs: readyTimeoutMs, hopeless: () => exit });
      await component.provision?.();
      if (exit !== null) throw exit;
    },
    async end() {
      signalProcess(pid, component.stop.signal);
      const patience = new AbortController();
      const killed = sleep(component.stop.graceMs, undefined, { signal: patience.signal }).then(
        () => signalProcess(-pid, 'SIGKILL'),
        () => false,
      );
      await ended;
      patience.abort();
      await killed;
    },
  };
}
