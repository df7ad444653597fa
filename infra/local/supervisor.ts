import { setTimeout as sleep } from 'node:timers/promises';
import type { Component } from './component.ts';
import { type ComponentRun, runComponent } from './component-run.ts';
import { signalProcess } from './spawn-guarded.ts';
import type { Watchdog } from './watchdog.ts';

export type ComponentState = 'starting' | 'up' | 'restarting' | 'down';

export interface Supervisor {
  readonly component: Component;
  readonly state: ComponentState;
  readonly pid: number | null;
  /** Resolves when the component answers; rejects with its last log lines when it ends before. */
  start(): Promise<void>;
  /** Ends it and keeps it down. */
  stop(): Promise<void>;
  /** Signals it as a fault would: it is then started again on the same port. */
  kill(signal: NodeJS.Signals): void;
}

export interface SupervisorOptions {
  watchdog: Watchdog;
  logFile: string;
  /** After every change of state or pid, before anything is waited for. */
  onChange(): void;
  /** The component keeps dying; it is left down. */
  onGiveUp(error: Error): void;
}

interface Supervision extends SupervisorOptions {
  component: Component;
  state: ComponentState;
  run: ComponentRun | null;
  /** Whether the component is meant to run. */
  wanted: boolean;
  /** How often in a row it has died before, or soon after, it answered. */
  quickFailures: number;
}

const restartDelaysMs = [50, 250, 1000, 2000];
const quickFailuresAllowed = 5;
/** A process that lived longer than this after it answered did not fail because of how it is started. */
const stableAfterMs = 3000;

/** Keeps one component running: starts it, starts it again when it dies, stops it. */
export function supervise(component: Component, options: SupervisorOptions): Supervisor {
  const it: Supervision = { ...options, component, state: 'down', run: null, wanted: false, quickFailures: 0 };
  return {
    component,
    get state() {
      return it.state;
    },
    get pid() {
      return it.run?.pid ?? null;
    },
    async start() {
      it.wanted = true;
      it.quickFailures = 0;
      change(it, 'starting');
      try {
        await launch(it);
      } catch (error) {
        it.wanted = false;
        await it.run?.end();
        change(it, 'down');
        throw error;
      }
    },
    async stop() {
      it.wanted = false;
      await it.run?.end();
      change(it, 'down');
    },
    kill(signal) {
      it.quickFailures = 0;
      if (it.run !== null) signalProcess(it.run.pid, signal);
    },
  };
}

function change(it: Supervision, state: ComponentState): void {
  it.state = state;
  it.onChange();
}

async function launch(it: Supervision): Promise<void> {
  const run = await runComponent(it.component, it.watchdog, it.logFile);
  it.run = run;
  it.onChange();
  void run.ended.then(() => {
    it.run = null;
    it.onChange();
  });
  // Stopped while the process was being made: nobody else knows of it yet.
  if (!it.wanted) await run.end();
  await run.ready();
  change(it, 'up');
  void restartWhenDead(it, run);
}

async function restartWhenDead(it: Supervision, run: ComponentRun): Promise<void> {
  const upSince = Date.now();
  let failure = await run.ended;
  // A kill from outside says nothing about whether the component can run.
  it.quickFailures = run.wasKilled() || Date.now() - upSince > stableAfterMs ? 0 : it.quickFailures + 1;
  while (it.wanted && it.quickFailures < quickFailuresAllowed) {
    change(it, 'restarting');
    await sleep(restartDelaysMs[Math.min(it.quickFailures, restartDelaysMs.length - 1)]);
    if (!isWanted(it)) break;
    try {
      await launch(it);
      return;
    } catch (error) {
      // launch() fails with errors only.
      failure = error as Error;
      it.quickFailures += 1;
      await it.run?.end();
    }
  }
  change(it, 'down');
  if (isWanted(it)) it.onGiveUp(failure);
  it.wanted = false;
}

/** A call, so that the compiler does not take the answer from before a wait for the one after it. */
function isWanted(it: Supervision): boolean {
  return it.wanted;
}
