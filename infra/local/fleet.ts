import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Component, type ComponentName, processNames, serverNames } from './component.ts';
import type { StatePaths } from './paths.ts';
import type { ComponentStatus } from './stack-status.ts';
import { type Supervisor, supervise } from './supervisor.ts';
import { createWatchdog } from './watchdog.ts';

/** All supervised components of one stack. */
export interface Fleet {
  readonly failure: Promise<Error>;
  start(component: Component): Promise<void>;
  /** Forgets a component that failed to start, so that it can be made anew on other ports. */
  remove(name: ComponentName): void;
  get(name: ComponentName): Supervisor;
  waitUntilUp(name: ComponentName): Promise<void>;
  onChange(listener: () => void): void;
  processes(): Record<string, number>;
  status(): ComponentStatus[];
  /** Ends a child of the launcher that is no component when the launcher is gone. */
  guard(child: ChildProcess): Promise<void>;
  stop(): Promise<void>;
}

// The worker drains while Temporal and the stores still answer; the servers know nothing of each other.
const stopOrder: readonly (readonly ComponentName[])[] = [processNames, serverNames];

export function createFleet(paths: StatePaths): Fleet {
  const watchdog = createWatchdog();
  const supervisors = new Map<ComponentName, Supervisor>();
  const failure = Promise.withResolvers<Error>();
  let listener: () => void = () => undefined;
  let stopping = false;

  function get(name: ComponentName): Supervisor {
    const supervisor = supervisors.get(name);
    if (supervisor === undefined) throw new Error(`The stack runs no ${name}.`);
    return supervisor;
  }

  function statuses(): ComponentStatus[] {
    return [...supervisors.values()].map(({ component: { name, version, port }, state, pid }) => {
      return { name, state, version, port, pid };
    });
  }

  return {
    failure: failure.promise,
    get,
    async start(component) {
      if (stopping) throw new Error('The stack is being stopped.');
      const supervisor = supervise(component, {
        watchdog,
        logFile: paths.log(component.name),
        onChange: () => listener(),
        onGiveUp: (error) => failure.resolve(error),
      });
      supervisors.set(component.name, supervisor);
      await supervisor.start();
    },
    remove(name) {
      supervisors.delete(name);
    },
    async waitUntilUp(name) {
      while (get(name).state !== 'up') await sleep(20);
    },
    onChange(next) {
      listener = next;
      next();
    },
    processes: () => Object.fromEntries(statuses().flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]]))),
    status: statuses,
    guard: (child) => watchdog.addChild(child, { signal: 'SIGTERM', graceMs: 2000 }),
    async stop() {
      stopping = true;
      for (const names of stopOrder) {
        await Promise.all(names.map(async (name) => supervisors.get(name)?.stop()));
      }
      listener = () => undefined;
      watchdog.close();
    },
  };
}
