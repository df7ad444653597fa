import { z } from 'zod';

/** Why something does not go on, each with what `detail` and `until` say of it. docs/guides/why-is-it-waiting.md shows them. */
export const waitingKinds = {
  dependency: 'Tasks before it have not ended; of a goal: goals before it. `detail` names them.',
  worker: 'Nothing but a free worker. `detail` is the worker class.',
  retry: 'An attempt failed. `detail` is the error’s code; the next one begins at `until`.',
  approval: 'People decide. `detail` is the approval’s id; it expires at `until`.',
  timer: 'A time. `until` says which.',
  event: 'An event from outside. `detail` is its name; the wait ends without it at `until`.',
  concurrency: 'As many as a limit allows go on already. `detail` is the limit’s name.',
  rate_limit: 'A rate is used up. `detail` is the limit’s name; its turn comes at `until`.',
  budget: 'A budget is used up. `detail` says which.',
  paused: 'The goal is paused. `detail` is the reason.',
  dead_letter: 'It failed and was put aside. `detail` is the error’s code. Retry or discard it.',
  goal_ending:
    'Nothing: the goal has failed or is being cancelled, and does not start it any more. `detail` says which.',
} as const;
export type WaitingKind = keyof typeof waitingKinds;

// Object.keys forgets what the keys are.
export const waitingKindNames = Object.keys(waitingKinds) as [WaitingKind, ...WaitingKind[]];
export const waitingKindSchema = z.enum(waitingKindNames);
