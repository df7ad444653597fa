import type { ExecuteTaskAnswer, ParkedTask } from '../activities/contract.ts';
import { createPausePolicy, type PauseTally } from '../domain/pause-policy.ts';
import type { TaskOutline } from '../domain/plan-outline.ts';
import type { PauseOn } from '../domain/schemas/pause.ts';
import type { CarriedPolicy } from './contract.ts';

/** A goal's own rules for pausing at work: told of what ends, it pauses the goal when they say so. */
export interface GoalPolicy {
  readonly on: PauseOn;
  readonly tally: PauseTally;
  onEnd(status: ExecuteTaskAnswer['status']): void;
  onEnds(ended: { readonly completed: number; readonly failed: number }): void;
  onAttempt(task: TaskOutline, answer: ExecuteTaskAnswer): void;
  onParked(parked: ParkedTask): void;
  /** Counts anew: people have seen to what was wrong. */
  restart(): void;
}

/** For a shard, or the goal's next run. */
export const carriedPolicy = ({ on, tally }: GoalPolicy): CarriedPolicy => ({ on, tally });

/** @param pause is given the reason */
export function createGoalPolicy({ on, tally }: CarriedPolicy, pause: (reason: string) => void): GoalPolicy {
  const policy = createPausePolicy(on, tally);
  const obey = (reason: string | null): void => {
    if (reason !== null) pause(reason);
  };
  return {
    on,
    get tally() {
      return policy.tally;
    },
    onEnd: (status) =>
      obey(policy.onEnds({ completed: status === 'completed' ? 1 : 0, failed: status === 'failed' ? 1 : 0 })),
    onEnds: (ended) => obey(policy.onEnds(ended)),
    onAttempt({ tool }, answer) {
      if (tool === undefined) return;
      if (answer.status === 'completed') obey(policy.onAttempt(tool, null));
      else if ('error' in answer) obey(policy.onAttempt(tool, answer.error.code));
    },
    onParked({ reason }) {
      if (on.budget && reason === 'budget') pause('a budget is used up');
    },
    restart: policy.restart,
  };
}
