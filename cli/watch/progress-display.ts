import type { GoalSnapshot, TaskProgress } from '@astra/sdk';
import type { Session } from '../session.ts';
import { createLineDisplay } from './line-display.ts';
import { createTreeDisplay } from './tree-display.ts';

/** Shows a goal while it is watched. */
export interface ProgressDisplay {
  show(update: GoalSnapshot | TaskProgress): void;
  /** Puts a question to the person who watches; it stays readable whatever comes after. */
  ask(lines: readonly string[]): void;
  close(): void;
}

/** On a terminal the tree, else lines. With `-o json` standard output is kept for the JSON. */
export function createProgressDisplay(session: Session): ProgressDisplay {
  const stream = session.json ? session.io.stderr : session.io.stdout;
  const createDisplay = stream.isTTY === true ? createTreeDisplay : createLineDisplay;
  return createDisplay(stream, session.paint(stream));
}
